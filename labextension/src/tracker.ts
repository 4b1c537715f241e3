import type { Cell, ICellModel } from '@jupyterlab/cells';
import {
  type INotebookModel,
  type Notebook,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

import { StepsModel } from './model.js';

const models = new WeakMap<NotebookPanel, StepsModel>();

/** Give the steps of a notebook; they follow its cells and runs until it closes. */
export function stepsOf(panel: NotebookPanel): StepsModel {
  const known = models.get(panel);
  if (known !== undefined) {
    return known;
  }
  const steps = new StepsModel();
  models.set(panel, steps);
  void panel.context.ready.then(() => {
    if (!panel.isDisposed) {
      follow(panel, panel.context.model, steps);
    }
  });
  return steps;
}

function follow(
  panel: NotebookPanel,
  notebook: INotebookModel,
  steps: StepsModel
): void {
  const read = (cell: ICellModel): void => {
    steps.setSource(cell.id, cell.sharedModel.getSource());
  };
  const readAll = (): void => {
    const codeCells = [...notebook.cells].filter(cell => cell.type === 'code');
    const present = new Set(codeCells.map(cell => cell.id));
    for (const id of steps.cellIds.filter(id => !present.has(id))) {
      steps.removeCell(id);
    }
    for (const cell of codeCells) {
      cell.contentChanged.connect(read, panel); // connecting twice is once
      read(cell);
    }
  };
  readAll();
  notebook.cells.changed.connect(readAll, panel);
  followRuns(panel, notebook, steps);
}

function followRuns(
  panel: NotebookPanel,
  notebook: INotebookModel,
  steps: StepsModel
): void {
  const send = (_: unknown, run: { notebook: Notebook; cell: Cell }): void => {
    if (run.notebook.model === notebook) {
      steps.send(run.cell.model.id);
    }
  };
  const finish = (
    _: unknown,
    run: { notebook: Notebook; cell: Cell; success: boolean; error?: unknown }
  ): void => {
    if (run.notebook.model !== notebook) {
      return;
    }
    if (run.success || hasName(run.error)) {
      steps.finish(run.cell.model.id, run.success);
    } else {
      steps.skip(run.cell.model.id);
    }
  };
  const context = panel.sessionContext;
  NotebookActions.executionScheduled.connect(send);
  NotebookActions.executed.connect(finish);
  context.kernelChanged.connect(() => steps.forgetRuns());
  context.statusChanged.connect((_, status) => {
    if (status === 'restarting' || status === 'autorestarting') {
      steps.forgetRuns();
    }
  });
  panel.disposed.connect(() => {
    NotebookActions.executionScheduled.disconnect(send);
    NotebookActions.executed.disconnect(finish);
    Signal.clearData(steps);
  });
}

/** Whether Python raised it: a cell that was dropped unrun fails without a name. */
function hasName(error: unknown): boolean {
  return Boolean((error as { errorName?: unknown } | null)?.errorName);
}
