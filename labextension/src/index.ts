import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IToolbarWidgetRegistry,
  MainAreaWidget,
  ToolbarButton
} from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { addBadges } from './badge.js';
import { graphIcon } from './icon.js';
import { GraphPanel } from './panel.js';
import { stepsOf } from './tracker.js';

const SHOW = 'jupyter-graph:show';

const badges: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-graph:badges',
  description: 'Marks the cells that are steps of a graph, and the stale ones.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => addBadges(panel, stepsOf(panel))
    });
  }
};

const panel: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-graph:panel',
  description: 'Shows the graph of a notebook below it.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, IToolbarWidgetRegistry],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    toolbars: IToolbarWidgetRegistry | null
  ) => {
    const label = 'Show Graph';
    const caption = 'Show the graph of this notebook';
    const show = graphShower(app);
    app.commands.addCommand(SHOW, {
      label,
      caption,
      icon: graphIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks.currentWidget !== null,
      execute: async () => {
        const notebook = notebooks.currentWidget;
        await (notebook && show(notebook));
      }
    });
    palette?.addItem({ command: SHOW, category: 'Notebook Operations' });
    toolbars?.addFactory<NotebookPanel>('Notebook', SHOW, notebook => {
      const steps = stepsOf(notebook);
      const button = new ToolbarButton({
        className: 'jg-show-graph',
        icon: graphIcon,
        label,
        tooltip: caption,
        onClick: () => void show(notebook)
      });
      const update = (): void => button.setHidden(!steps.hasSteps);
      steps.changed.connect(update, button);
      update();
      return button;
    });
  }
};

/** Give a function that opens a notebook's graph below it, one panel for each. */
function graphShower(
  app: JupyterFrontEnd
): (notebook: NotebookPanel) => Promise<void> {
  const open = new WeakMap<NotebookPanel, MainAreaWidget<GraphPanel>>();
  return async notebook => {
    let area = open.get(notebook);
    if (area === undefined || area.isDisposed) {
      area = graphArea(notebook);
      open.set(notebook, area);
      // Graphs run from left to right: wide and low fits them, beside does not.
      app.shell.add(area, 'down');
    }
    app.shell.activateById(area.id);
    await area.content.refresh();
  };
}

function graphArea(notebook: NotebookPanel): MainAreaWidget<GraphPanel> {
  const content = new GraphPanel(notebook);
  const area = new MainAreaWidget({ content });
  area.id = `jupyter-graph-${notebook.id}`;
  area.title.label = `Graph: ${notebook.title.label.replace(/\.ipynb$/, '')}`;
  area.title.icon = graphIcon;
  area.title.closable = true;
  area.toolbar.hide(); // nothing in it, and height is short down there
  const steps = stepsOf(notebook);
  steps.changed.connect((_, id) => {
    if (steps.step(id)?.state === 'current') {
      void content.fill();
    }
  }, area);
  notebook.disposed.connect(() => area.dispose(), area);
  return area;
}

export default [badges, panel];
