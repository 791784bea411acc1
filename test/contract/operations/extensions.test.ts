import { describe, expect, it } from '@jest/globals';
import { compile, compileAll, documentWith, operation, pathParameter, type Node } from '../documents.ts';

const USER = [{ user: ['api://gateway/Orders.Read'] }];

/** What is wrong with a document whose only operation is `GET /it/{last}`. */
function faultsOf(own: Node, { item = {}, root = {}, parameter = {} }: Record<string, Node> = {}): readonly string[] {
  const get = operation({ security: USER, ...own });
  const parameters = [pathParameter('last', parameter)];
  return compileAll([{ root: documentWith({ '/it/{last}': { ...item, parameters, get } }, root) }]).lines;
}

describe('an extension', () => {
  it.each<[string, Node, Node, Node]>([
    ['the authentication context', { 'x-auth-context': 'c1' }, { authContext: 'c1' }, { authContext: 'c1' }],
    ['the rest of the path', { 'x-multi-segment': true }, { multiSegment: true }, { multiSegment: 'last' }],
    ['a WebSocket', { 'x-upgrade': 'websocket' }, { upgrade: 'websocket' }, { upgrade: 'websocket' }],
    ['a time', { 'x-timeout': '90s' }, { timeout: '90s' }, { timeouts: { responseMs: 90_000 } }],
    [
      'times',
      { 'x-timeout': { response: 'none', idle: '2m' } },
      { timeout: { response: 'none', idle: '2m' } },
      { timeouts: { responseMs: Number.POSITIVE_INFINITY, idleMs: 120_000 } },
    ],
    ['the largest body', { 'x-body-limit': '2gb' }, { bodyLimit: '2gb' }, { bodyLimitBytes: 2 * 1_024 ** 3 }],
  ])('says %s, by itself or in x-gateway', (_what, alias, member, read) => {
    for (const said of [alias, { 'x-gateway': member }, { ...alias, 'x-gateway': member }]) {
      const get = operation({ security: USER, parameters: [pathParameter('last')], ...said });
      const { operations } = compile({ root: documentWith({ '/it/{last}': { get } }) });
      expect(operations[0]).toMatchObject(read);
    }
  });

  it('of the last parameter may stand at it', () => {
    const get = operation({ parameters: [pathParameter('last', { 'x-gateway': { multiSegment: true } })] });
    const { operations } = compile({ root: documentWith({ '/it/{last}': { get } }) });
    expect(operations[0]).toMatchObject({ multiSegment: 'last' });
  });
});

describe('an extension is a fault', () => {
  const at = 'contract GET /it/{last}';

  it.each<[string, readonly string[], string]>([
    [
      'said twice and differently',
      faultsOf({ 'x-auth-context': 'c1', 'x-gateway': { authContext: 'c2' } }),
      `${at}: has x-auth-context and x-gateway authContext, which differ; keep one`,
    ],
    [
      'at a path item that does nothing with it',
      faultsOf({}, { item: { 'x-auth-context': 'c1' } }),
      'contract /it/{last}: has x-auth-context, which does nothing at a path item; it belongs to an operation',
    ],
    [
      'at a document that does nothing with it',
      faultsOf({}, { root: { 'x-gateway': { timeout: '5s' } } }),
      'contract: has x-gateway timeout, which does nothing at the document; it belongs to an operation',
    ],
    [
      'at a parameter that does nothing with it',
      faultsOf({}, { parameter: { 'x-body-limit': '5mb' } }),
      `${at}: has x-body-limit, which does nothing at a parameter; it belongs to an operation`,
    ],
    [
      'unknown',
      faultsOf({ 'x-gateway': { authcontext: 'c1' } }),
      `${at}: has the unknown key authcontext in x-gateway; known: service, path, method, authContext, multiSegment, timeout, bodyLimit, upgrade, scopes, roles`,
    ],
    ['no map', faultsOf({ 'x-gateway': 'graph' }), `${at}: has the x-gateway "graph"; allowed: a map of keys`],
    ['misspelt', faultsOf({ 'x-auth-contxt': 'c1' }), `${at}: has the key x-auth-contxt; did you mean x-auth-context?`],
    [
      'misspelt at the root',
      faultsOf({}, { root: { 'x-dowstream': {} } }),
      'contract: has the key x-dowstream; did you mean x-downstream?',
    ],
    [
      'no switch',
      faultsOf({}, { parameter: { 'x-multi-segment': 'yes' } }),
      `${at}: has the x-multi-segment "yes"; allowed: true or false`,
    ],
    [
      'a time that is none',
      faultsOf({ 'x-timeout': 30 }),
      `${at}: has the x-timeout 30; allowed: a duration such as 500ms, 30s or 5m, not zero, or 'none'`,
    ],
    [
      'no time at all',
      faultsOf({ 'x-timeout': { response: '0s' } }),
      `${at}: has the x-timeout "0s"; allowed: a duration such as 500ms, 30s or 5m, not zero, or 'none'`,
    ],
    [
      'a time of another kind',
      faultsOf({ 'x-timeout': { connect: '1s' } }),
      `${at}: has the unknown key connect in x-timeout; known: response, idle`,
    ],
    [
      'a size that is none',
      faultsOf({ 'x-body-limit': 'big' }),
      `${at}: has the x-body-limit "big"; allowed: a size such as 64kb, 10mb or 2gb`,
    ],
    [
      'no choice',
      faultsOf({}, { root: { 'x-formats': 'check' } }),
      'contract: has the x-formats "check"; allowed: assert, annotate',
    ],
  ])('that is %s', (_case, faults, message) => {
    expect(faults).toEqual([message]);
  });

  it('of the rest of a path whose last segment is no parameter, where it is said to the gateway alone', () => {
    const get = operation({ 'x-gateway': { multiSegment: true } });
    expect(compileAll([{ root: documentWith({ '/it': { get } }) }]).lines).toEqual([
      'contract GET /it: has x-gateway multiSegment on the parameter at the end, which is not the whole last segment of the path',
    ]);
  });

  it.each(['x-group', 'x-update', 'x-codes', 'x-ms-paths', 'x-github'])(
    'but not where it is another tool’s: %s',
    (key) => {
      expect(
        faultsOf({ [key]: true }, { root: { [key]: true }, item: { [key]: true }, parameter: { [key]: true } }),
      ).toEqual([]);
    },
  );
});
