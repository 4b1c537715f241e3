import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { type PanelLayout, Widget } from '@lumino/widgets';

import { graphIcon } from './icon.js';
import type { IStep, StepState, StepsModel } from './model.js';

/** What a state is called, and what it means, in the user's words. */
const STATES: Readonly<Record<StepState, { label: string; title: string }>> = {
  new: {
    label: 'not run yet',
    title: 'Not run since this page was opened or the kernel was started.'
  },
  current: { label: 'up to date', title: 'The graph has this code.' },
  edited: {
    label: 'edited since last run',
    title: 'The graph still has the code of the last run: run the cell again.'
  },
  failed: {
    label: 'last run failed',
    title: 'The cell raised, so the graph did not take its code.'
  }
};

/** A line above a cell that says which step it is, and whether it is stale. */
export class StepBadge extends Widget {
  constructor() {
    super();
    this.addClass('jg-step-badge');
    this.node.setAttribute('role', 'note');
    this._chip.className = 'jg-step-badge-chip';
    this._name.className = 'jg-step-badge-name';
    this._state.className = 'jg-step-badge-state';
    const icon = graphIcon.element({
      tag: 'span',
      height: '10px',
      width: '10px'
    });
    this._chip.append(icon, this._name, this._state);
    this.node.append(this._chip);
    this.hide();
  }

  display(step: IStep | null): void {
    if (step === null) {
      this.hide();
      return;
    }
    const { label, title } = STATES[step.state];
    const name = step.name || 'no function or class yet';
    this._name.textContent = name;
    this._state.textContent = label;
    this._chip.title = title;
    this.node.dataset.state = step.state;
    this.node.setAttribute('aria-label', `Graph step ${name}, ${label}`);
    this.show();
  }

  private readonly _chip = document.createElement('span');
  private readonly _name = document.createElement('span');
  private readonly _state = document.createElement('span');
}

/** Keep a badge on each cell of the notebook that is a step. */
export function addBadges(panel: NotebookPanel, steps: StepsModel): void {
  const badges = new WeakMap<Cell, StepBadge>();
  const update = (cell: Cell): void => {
    const step = steps.step(cell.model.id);
    let badge = badges.get(cell);
    if (badge === undefined && step !== null) {
      badge = attachBadge(cell);
      badges.set(cell, badge);
    }
    badge?.display(step);
  };
  const updateAll = (): void => panel.content.widgets.forEach(update);
  steps.changed.connect((_, id) => {
    panel.content.widgets.filter(cell => cell.model.id === id).forEach(update);
  });
  void panel.context.ready.then(() => {
    if (!panel.isDisposed) {
      // A moved cell gets a new widget without any change of its step.
      panel.context.model.cells.changed.connect(updateAll, panel);
      updateAll();
    }
  });
}

function attachBadge(cell: Cell): StepBadge {
  const badge = new StepBadge();
  // A cell outside the viewport has no layout to insert into yet.
  void cell.ready.then(() => {
    if (!cell.isDisposed) {
      (cell.layout as PanelLayout).insertWidget(0, badge);
    }
  });
  return badge;
}
