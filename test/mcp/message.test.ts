import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/failures.ts';
import { readMessage } from '../../src/mcp/message.ts';

const ENOUGH = { demandRoom: () => undefined };

/** What a message says, or how it is refused. */
function read(text: string | Buffer): unknown {
  try {
    return readMessage(Buffer.from(text), ENOUGH);
  } catch (error) {
    return error instanceof GatewayError ? error.facts.jsonRpc : error;
  }
}

/** A refusal that names the id of the message. */
function refused(id: unknown = null): object {
  return { code: -32_600, id };
}

describe('a message says', () => {
  it.each<[string, string, object]>([
    [
      'which tool it calls',
      '{"id":1,"method":"tools/call","params":{"name":"t"}}',
      { id: 1, method: 'tools/call', name: 't' },
    ],
    [
      'it without arguments that matter',
      '{"id":"a","method":"tools/call","params":{"name":"t","arguments":{"name":"x","params":{"name":"y"}}}}',
      { id: 'a', method: 'tools/call', name: 't' },
    ],
    [
      'it with an escape',
      String.raw`{"id":1,"method":"tools\/call","params":{"n\u0061me":"\u0074"}}`,
      { id: 1, method: 'tools/call', name: 't' },
    ],
    [
      'which prompt it gets',
      '{"id":1,"method":"prompts/get","params":{"name":"p"}}',
      { id: 1, method: 'prompts/get', name: 'p' },
    ],
    [
      'which resource it reads',
      '{"id":1,"method":"resources/read","params":{"uri":"u"}}',
      { id: 1, method: 'resources/read', name: 'u' },
    ],
    ['another method', '{"id":1,"method":"tools/list"}', { id: 1, method: 'tools/list', name: undefined }],
    [
      'a notification',
      '{"method":"notifications/cancelled"}',
      { id: null, method: 'notifications/cancelled', name: undefined },
    ],
    [
      'whatever method it has, however hard it is to compare',
      `{"id":1,"method":"a${'\u0301\u0316'.repeat(500_000)}","params":{"b${'\u0301\u0316'.repeat(500_000)}":1}}`,
      { id: 1, method: expect.stringMatching(/^a/), name: undefined },
    ],
    ['an answer', '{"id":5,"result":{}}', { id: 5, method: undefined, name: undefined }],
    ['an answer that is an error', '{"id":5,"error":{"code":1}}', { id: 5, method: undefined, name: undefined }],
  ])('%s', (_case, text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

describe('a message is refused that', () => {
  it.each<[string, string | Buffer, object]>([
    ['is empty', '', refused()],
    ['is no JSON', '{"id":1', refused()],
    ['is followed by another', '{"id":1,"method":"a"}{"id":2,"method":"tools/call"}', refused()],
    ['is a batch', '[{"id":1,"method":"tools/call","params":{"name":"t"}}]', refused()],
    ['is a text', '"tools/call"', refused()],
    ['is null', 'null', refused()],
    ['begins with a byte order mark', '\u{FEFF}{"id":1,"method":"ping"}', refused()],
    ['is UTF-16', Buffer.from('{"id":1,"method":"ping"}', 'utf16le'), refused()],
    ['is not UTF-8', Buffer.from('{"id":1,"method":"\xff"}', 'latin1'), refused()],
    ['has no method', '{"id":1,"params":{"name":"t"}}', refused(1)],
    ['has a method that is no text', '{"id":1,"method":["tools/call"]}', refused(1)],
    ['has a method that is almost a call', '{"id":1,"method":"Tools/Call ","params":{"name":"t"}}', refused(1)],
    ['has a method that ends where some stop', String.raw`{"id":1,"method":"tools/call\u0000s"}`, refused(1)],
    ['has a method in other letters', '{"id":1,"method":"\u{1D42D}ools/call","params":{"name":"t"}}', refused(1)],
    ['calls nothing', '{"id":1,"method":"tools/call"}', refused(1)],
    ['calls by a list', '{"id":1,"method":"tools/call","params":["t"]}', refused(1)],
    ['calls what is no text', '{"id":1,"method":"tools/call","params":{"name":["t"]}}', refused(1)],
    ['calls by an inherited name', '{"id":1,"method":"tools/call","params":{"__proto__":{"name":"t"}}}', refused(1)],
    ['names its method twice', '{"id":1,"method":"ping","method":"tools/call"}', refused(1)],
    ['names its tool twice', '{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}', refused(1)],
    [
      'names its tool twice, once with an escape',
      String.raw`{"id":1,"method":"tools/call","params":{"name":"a","\u006eame":"b"}}`,
      refused(1),
    ],
    [
      'names an argument twice',
      '{"id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}',
      refused(1),
    ],
    ['names its id twice', '{"id":1,"id":2,"method":"ping"}', refused()],
    ['has a method for those who know no capitals', '{"id":1,"method":"ping","Method":"tools/call"}', refused(1)],
    [
      'has params for those who fold letters',
      '{"id":1,"method":"tools/call","params":{"name":"a"},"param\u017F":{"name":"b"}}',
      refused(1),
    ],
    [
      'has a name that ends where some stop',
      String.raw`{"id":1,"method":"tools/call","params":{"name":"a","name\u0000s":"b"}}`,
      refused(1),
    ],
    [
      'has a name for those who know no capitals',
      '{"id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}',
      refused(1),
    ],
    [
      'has a name for those who see no control characters',
      String.raw`{"id":1,"method":"tools/call","params":{"name":"a","\u0000na\u00adme":"b"}}`,
      refused(1),
    ],
    [
      'is an answer for some and a call for others',
      '{"id":1,"result":{},"METHOD":"tools/call","params":{"name":"a"}}',
      refused(1),
    ],
    ['is nested without end', `{"id":1,"method":"ping","params":${'['.repeat(600)}${']'.repeat(600)}}`, refused(1)],
  ])('%s', (_case, text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

it.each<[string, unknown]>([
  ['7', 7],
  ['"seven"', 'seven'],
  ['-1', -1],
  ['1.5', null],
  [JSON.stringify('x'.repeat(1_024)), 'x'.repeat(1_024)],
  [JSON.stringify('x'.repeat(1_025)), null],
  ['9007199254740993', null],
  ['1e400', null],
  ['null', null],
  ['true', null],
  ['{"a":1}', null],
])('of the id %s a refusal repeats %p', (id, expected) => {
  expect(read(`{"id":${id},"method":1}`)).toEqual(refused(expected));
});
