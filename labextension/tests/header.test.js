import assert from 'node:assert/strict';
import { test } from 'node:test';

import { definedName, stepName, typedName, words } from '../lib/header.js';

const named = [
  ['predict', 'predict'],
  ['predict --after clean', 'predict'],
  ['--after clean predict', 'predict'],
  ['--after=clean predict', 'predict'],
  ['--respond predict', 'predict'],
  ['--full-event --after a,b predict --respond', 'predict'],
  ['--args {"limit": 3, "note": "a --b c"} predict --respond', ''],
  ['predict --args {"limit": 3}', 'predict'],
  ['--arg k=v --timeout 3 predict', 'predict'],
  ['"predict" --after clean', 'predict'],
  ["predict --input-path don't", 'predict'],
  ["--input-path don't predict", 'predict'],
  ['--after clean', ''],
  ['--after', ''],
  ['', '']
];
for (const [line, name] of named) {
  test(`the header '${line}' names '${name}'`, () => {
    assert.equal(typedName(line), name);
  });
}

test('words end at blanks outside quotes and brackets', () => {
  assert.deepEqual(words(`a  --args {"x y": [1, 2]} --s 'b c' "d\\" e"`), [
    'a',
    '--args',
    '{"x y": [1, 2]}',
    '--s',
    `'b c'`,
    `"d\\" e"`
  ]);
});

test('words survive a bracket that never closes', () => {
  assert.deepEqual(words('a (b c'), ['a', '(b c']);
});

const defined = [
  ['def clean(body):\n    return body', 'clean'],
  ['async def ask(body):\n    ...', 'ask'],
  ['class Model:\n    def do(self, body): ...', 'Model'],
  ['def helper(x): ...\n\n@cached\ndef step(x): ...', 'step'],
  ['"""\ndef quoted(): ...\n"""\ndef real(x): ...', 'real'],
  ["x = 'def no(): '\n# def neither(): \ndef yes(x): ...", 'yes'],
  ['s = """\ndef last(): ...\n"""', ''],
  ['if True:\n    def inner(): ...', ''],
  ['def größe(körper): ...', 'größe'],
  ['defined = 1', ''],
  ['', '']
];
for (const [code, name] of defined) {
  test(`${JSON.stringify(code)} defines '${name}'`, () => {
    assert.equal(definedName(code), name);
  });
}

const cells = [
  ['%%graph_step\ndef clean(body): ...', 'clean'],
  ['%%graph_step tidy --respond\ndef clean(body): ...', 'tidy'],
  ['\n  \n%%graph_step\ndef clean(body): ...', 'clean'],
  ['%%graph_step  \r\ndef clean(body): ...', 'clean'],
  [
    '#@title The first\r\n\n# step\n%%graph_step\ndef clean(body): ...',
    'clean'
  ],
  ['%%graph_step', ''],
  ['%%graph_step?', null],
  ['%%graph_steps x', null],
  ['%%time\n%%graph_step x', null],
  ['# %%graph_step x', null],
  ['x = 1\n%%graph_step x', null],
  ['', null]
];
for (const [source, name] of cells) {
  test(`the cell ${JSON.stringify(source)} is the step ${name}`, () => {
    assert.equal(stepName(source), name);
  });
}
