import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readReply } from '../lib/protocol.js';

const answer = text => ({ status: 'ok', data: { 'text/plain': text } });
const reply = user_expressions => ({ status: 'ok', user_expressions });

test('a mimebundle is a picture', () => {
  const view = {
    status: 'ok',
    data: { 'image/svg+xml': '<svg/>' },
    metadata: { a: 1 }
  };

  assert.deepEqual(readReply(reply({ loaded: answer('True'), view })), {
    kind: 'picture',
    data: { 'image/svg+xml': '<svg/>' },
    metadata: { a: 1 }
  });
});

test('a kernel without the magics is not loaded', () => {
  const content = reply({ loaded: answer('False'), view: answer('None') });

  assert.deepEqual(readReply(content), { kind: 'not-loaded' });
});

test('a kernel that is not IPython is not loaded', () => {
  const failed = { status: 'error', ename: 'NameError', evalue: 'get_ipython' };

  assert.deepEqual(readReply(reply({ loaded: failed, view: failed })), {
    kind: 'not-loaded'
  });
});

test('an error of the view is told with its name and message', () => {
  const view = { status: 'error', ename: 'SpecError', evalue: 'no such graph' };

  assert.deepEqual(readReply(reply({ loaded: answer('True'), view })), {
    kind: 'refusal',
    name: 'SpecError',
    message: 'no such graph'
  });
});

test('an aborted question is no refusal', () => {
  assert.deepEqual(readReply({ status: 'aborted' }), { kind: 'aborted' });
});

const strange = [
  ['nothing', undefined],
  ['text', 'ok'],
  ['a list', []],
  ['no answers', { status: 'ok' }],
  ['a half answer', reply({ loaded: answer('True') })],
  [
    'a view without data',
    reply({ loaded: answer('True'), view: { status: 'ok' } })
  ]
];
for (const [what, content] of strange) {
  test(`${what} is a refusal that says so`, () => {
    assert.deepEqual(readReply(content), {
      kind: 'refusal',
      name: 'Unknown reply',
      message: 'The kernel answered in a form that is not known here.'
    });
  });
}
