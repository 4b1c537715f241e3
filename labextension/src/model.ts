import { type ISignal, Signal } from '@lumino/signaling';

import { stepName } from './header.js';

/**
 * How a step cell stands to the kernel.
 *
 * - `new`: not run since the page was opened or the kernel started,
 * - `current`: the kernel has this code,
 * - `edited`: the kernel has other code than the cell (stale),
 * - `failed`: the last run of this code raised, so the graph did not take it.
 */
export type StepState = 'new' | 'current' | 'edited' | 'failed';

/** One step cell. */
export interface IStep {
  /** The step's name, '' while the cell defines nothing. */
  readonly name: string;
  readonly state: StepState;
}

/** What was sent to the kernel when a cell last ran, and whether it raised. */
export interface IRun {
  readonly source: string;
  readonly succeeded: boolean;
}

/** Compare a cell's text with its last run. */
export function stateOf(source: string, run: IRun | undefined): StepState {
  if (run === undefined) {
    return 'new';
  }
  if (run.source.trim() !== source.trim()) {
    return 'edited';
  }
  return run.succeeded ? 'current' : 'failed';
}

/**
 * The steps among the cells of one notebook. Knows text and runs, not the DOM.
 *
 * A cell is sent (`send`) before it has run (`finish`) or not (`skip`): what counts is the text that
 * was sent, also when the user types on meanwhile.
 */
export class StepsModel {
  /** Emitted with the cell's id, when what `step` says of that cell has changed. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  get hasSteps(): boolean {
    return [...this._sources.keys()].some(id => this.step(id) !== null);
  }

  get cellIds(): string[] {
    return [...this._sources.keys()];
  }

  /** The step in a cell, or null where the cell is none. */
  step(id: string): IStep | null {
    const source = this._sources.get(id) ?? '';
    const name = stepName(source);
    return name === null
      ? null
      : { name, state: stateOf(source, this._runs.get(id)) };
  }

  setSource(id: string, source: string): void {
    this._update(id, () => this._sources.set(id, source));
  }

  /** Forget a cell's text; its runs stay, for it may only have moved. */
  removeCell(id: string): void {
    this._update(id, () => this._sources.delete(id));
  }

  send(id: string): void {
    this._sent.set(id, this._sources.get(id) ?? '');
  }

  finish(id: string, succeeded: boolean): void {
    const source = this._sent.get(id) ?? this._sources.get(id) ?? '';
    this._sent.delete(id);
    this._update(id, () => this._runs.set(id, { source, succeeded }));
  }

  /** The kernel dropped what was sent, because a cell before it failed. */
  skip(id: string): void {
    this._sent.delete(id);
  }

  /** The kernel is another one now: nothing has run. */
  forgetRuns(): void {
    this._sent.clear();
    for (const id of [...this._runs.keys()]) {
      this._update(id, () => this._runs.delete(id));
    }
  }

  private _update(id: string, change: () => unknown): void {
    const before = this.step(id);
    change();
    const after = this.step(id);
    if (before?.name !== after?.name || before?.state !== after?.state) {
      this._changed.emit(id);
    }
  }

  private readonly _changed = new Signal<this, string>(this);
  private readonly _runs = new Map<string, IRun>();
  private readonly _sent = new Map<string, string>();
  private readonly _sources = new Map<string, string>();
}
