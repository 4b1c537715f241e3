/**
 * What we ask the kernel, and what it may answer.
 *
 * The question is a silent request with two expressions: it runs no cell, leaves
 * no trace in the history and is answered as a mimebundle.
 */

const HAS_MAGICS =
  "'graph_step' in get_ipython().magics_manager.magics['cell']";

/** The expressions of the request, by the name under which the reply has them. */
export const QUESTION: Readonly<Record<'loaded' | 'view', string>> = {
  loaded: HAS_MAGICS,
  view: `get_ipython().run_line_magic('graph', 'show') if ${HAS_MAGICS} else None`
};

/** The kernel drew the graph. */
export interface IPicture {
  readonly kind: 'picture';
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The kernel answers, but nobody loaded the magics there. */
export interface INotLoaded {
  readonly kind: 'not-loaded';
}

/** The kernel dropped the question, because a cell before it failed. */
export interface IAborted {
  readonly kind: 'aborted';
}

/** The kernel could not draw it and says why. */
export interface IRefusal {
  readonly kind: 'refusal';
  readonly name: string;
  readonly message: string;
}

export type GraphReply = IPicture | INotLoaded | IAborted | IRefusal;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function refusal(said: Record<string, unknown>): IRefusal {
  return {
    kind: 'refusal',
    name: text(said.ename, 'Error'),
    message: text(said.evalue, 'The kernel gave no reason.')
  };
}

/** Read the content of an execute reply; anything unknown is a refusal that says so. */
export function readReply(content: unknown): GraphReply {
  const unknown = refusal({
    ename: 'Unknown reply',
    evalue: 'The kernel answered in a form that is not known here.'
  });
  if (!isRecord(content)) {
    return unknown;
  }
  if (content.status === 'aborted') {
    return { kind: 'aborted' };
  }
  if (content.status === 'error') {
    return refusal(content);
  }
  const answers = content.user_expressions;
  const loaded = isRecord(answers) ? answers.loaded : undefined;
  const view = isRecord(answers) ? answers.view : undefined;
  if (!isRecord(loaded) || !isRecord(view)) {
    return unknown;
  }
  const isLoaded =
    isRecord(loaded.data) && loaded.data['text/plain'] === 'True';
  if (!isLoaded) {
    return { kind: 'not-loaded' };
  }
  if (view.status === 'error') {
    return refusal(view);
  }
  if (!isRecord(view.data)) {
    return unknown;
  }
  const metadata = isRecord(view.metadata) ? view.metadata : {};
  return { kind: 'picture', data: view.data, metadata };
}
