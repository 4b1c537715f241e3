import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { PanelLayout, Widget } from '@lumino/widgets';

import {
  type GraphReply,
  type IPicture,
  QUESTION,
  readReply
} from './protocol.js';

/** What stands in the panel while there is no picture. */
export interface IHint {
  readonly title: string;
  readonly message: string;
  /** Code to run in the notebook, shown as such. */
  readonly code?: string;
}

const NO_KERNEL: IHint = {
  title: 'No kernel',
  message: 'The graph lives in the kernel. Start one, then run the step cells.'
};
const WAITING: IHint = {
  title: 'Waiting for the kernel',
  message: 'It draws the graph as soon as the running cells are done.'
};
const ABORTED: IHint = {
  title: 'Not asked',
  message: 'Cells failed while the kernel was busy. Press Show Graph again.'
};
const NOT_LOADED: IHint = {
  title: 'jupyter_graph is not loaded in this kernel',
  message: 'Run this in a cell of the notebook, then the step cells:',
  code: '%load_ext jupyter_graph'
};

/** Shows the graph of one notebook, as the notebook's kernel draws it. */
export class GraphPanel extends Widget {
  constructor(notebook: NotebookPanel) {
    super();
    this._notebook = notebook;
    this.addClass('jg-graph-panel');
    this.layout = new PanelLayout();
    const { sessionContext } = notebook;
    // Emitted after a restart that the user asked for, too.
    sessionContext.kernelChanged.connect(() => void this.refresh(), this);
    sessionContext.statusChanged.connect((_, status) => {
      if (status === 'autorestarting') {
        void this.refresh();
      }
    }, this);
  }

  /** Ask the kernel for the picture; questions asked meanwhile become one more. */
  async refresh(): Promise<void> {
    this._wanted += 1;
    if (this._asking) {
      return;
    }
    this._asking = true;
    try {
      for (let asked = 0; asked !== this._wanted && !this.isDisposed;) {
        asked = this._wanted;
        await this._ask();
      }
    } finally {
      this._asking = false;
    }
  }

  /** Ask unless there is a picture: the kernel keeps a picture up to date itself. */
  async fill(): Promise<void> {
    if (!this._hasPicture && !this._asking) {
      await this.refresh();
    }
  }

  private async _ask(): Promise<void> {
    await this._notebook.sessionContext.ready;
    const kernel = this._notebook.sessionContext.session?.kernel;
    if (!kernel) {
      this._showHint(NO_KERNEL);
      return;
    }
    if (!this._hasPicture) {
      this._showHint(WAITING);
    }
    let reply = await question(kernel);
    if (reply.kind === 'aborted') {
      // A cell failed, and the kernel dropped all that was waiting; now it is free.
      reply = await question(kernel);
    }
    if (!this.isDisposed) {
      await this._show(reply);
    }
  }

  private async _show(reply: GraphReply): Promise<void> {
    if (reply.kind === 'picture') {
      await this._showPicture(reply);
    } else if (reply.kind === 'not-loaded') {
      this._showHint(NOT_LOADED);
    } else if (reply.kind === 'aborted') {
      this._showHint(ABORTED);
    } else {
      this._showHint({ title: reply.name, message: reply.message });
    }
  }

  private async _showPicture({ data, metadata }: IPicture): Promise<void> {
    const { rendermime } = this._notebook.content;
    const model = rendermime.createModel({
      data: data as ReadonlyPartialJSONObject,
      metadata: metadata as ReadonlyPartialJSONObject,
      trusted: true // made by the kernel just now, like the output of a run cell
    });
    const mimeType = rendermime.preferredMimeType(model.data, 'any');
    if (mimeType === undefined) {
      this._showHint({
        title: 'Nothing to show',
        message: 'The kernel drew the graph in no form that JupyterLab knows.'
      });
      return;
    }
    const renderer = rendermime.createRenderer(mimeType);
    renderer.addClass('jg-graph-panel-picture');
    await renderer.renderModel(model);
    this._replace(renderer);
    this._hasPicture = true;
  }

  private _showHint(hint: IHint): void {
    const node = document.createElement('div');
    node.className = 'jg-graph-panel-hint';
    node.setAttribute('role', 'status');
    const add = (tag: string, text: string): void => {
      const child = document.createElement(tag);
      child.textContent = text;
      node.append(child);
    };
    add('h2', hint.title);
    add('p', hint.message);
    if (hint.code !== undefined) {
      add('code', hint.code);
    }
    this._replace(new Widget({ node }));
    this._hasPicture = false;
  }

  private _replace(content: Widget): void {
    const layout = this.layout as PanelLayout;
    const [...shown] = layout.widgets;
    layout.addWidget(content);
    shown.forEach(widget => widget.dispose());
  }

  private _asking = false;
  private _hasPicture = false;
  private _wanted = 0;
  private readonly _notebook: NotebookPanel;
}

async function question(kernel: Kernel.IKernelConnection): Promise<GraphReply> {
  try {
    const future = kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { ...QUESTION }
    });
    return readReply((await future.done).content);
  } catch (error) {
    // The kernel was restarted or closed before it answered.
    return { kind: 'refusal', name: 'No answer', message: String(error) };
  }
}
