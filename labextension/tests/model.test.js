import assert from 'node:assert/strict';
import { test } from 'node:test';

import { stateOf, StepsModel } from '../lib/model.js';

const SOURCE = '%%graph_step clean\ndef clean(body): ...';

const states = [
  [undefined, 'new'],
  [{ source: SOURCE, succeeded: true }, 'current'],
  [{ source: `${SOURCE}\n`, succeeded: true }, 'current'],
  [{ source: SOURCE, succeeded: false }, 'failed'],
  [{ source: 'other', succeeded: true }, 'edited'],
  [{ source: 'other', succeeded: false }, 'edited']
];
for (const [run, state] of states) {
  test(`a cell whose last run was ${JSON.stringify(run)} is ${state}`, () => {
    assert.equal(stateOf(SOURCE, run), state);
  });
}

function modelOf(source = SOURCE) {
  const model = new StepsModel();
  const changes = [];
  model.setSource('a', source);
  model.changed.connect((_, id) => changes.push([id, model.step(id)]));
  return { model, changes };
}

test('a run cell is current, and edited once its text changes', () => {
  const { model, changes } = modelOf();
  model.send('a');
  model.finish('a', true);
  model.setSource('a', `${SOURCE} # changed`);

  assert.deepEqual(changes, [
    ['a', { name: 'clean', state: 'current' }],
    ['a', { name: 'clean', state: 'edited' }]
  ]);
});

test('text typed while a cell runs is an edit', () => {
  const { model } = modelOf();
  model.send('a');
  model.setSource('a', `${SOURCE} # typed meanwhile`);
  model.finish('a', true);

  assert.equal(model.step('a').state, 'edited');
});

test('an edit that is taken back is no edit', () => {
  const { model } = modelOf();
  model.send('a');
  model.finish('a', true);
  model.setSource('a', `${SOURCE}!`);
  model.setSource('a', SOURCE);

  assert.equal(model.step('a').state, 'current');
});

test('a cell that was sent and dropped has not run', () => {
  const { model } = modelOf();
  model.send('a');
  model.skip('a');

  assert.equal(model.step('a').state, 'new');
});

test('another kernel has run nothing', () => {
  const { model } = modelOf();
  model.send('a');
  model.finish('a', true);
  model.forgetRuns();

  assert.equal(model.step('a').state, 'new');
});

test('a cell that moves keeps its run', () => {
  const { model } = modelOf();
  model.send('a');
  model.finish('a', true);
  model.removeCell('a');
  model.setSource('a', SOURCE);

  assert.equal(model.step('a').state, 'current');
});

test('nothing is announced when a step stays as it is', () => {
  const { model, changes } = modelOf();
  model.setSource('a', `${SOURCE} # not run, so not stale`);
  model.setSource('b', 'x = 1');

  assert.deepEqual(changes, []);
});

test('a notebook has steps while one of its cells is one', () => {
  const { model } = modelOf('x = 1');
  const before = model.hasSteps;
  model.setSource('a', SOURCE);
  const between = model.hasSteps;
  model.removeCell('a');

  assert.deepEqual([before, between, model.hasSteps], [false, true, false]);
});
