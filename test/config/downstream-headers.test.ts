import { afterAll, describe, expect, it } from '@jest/globals';
import { makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

async function linesOf(headers: object): Promise<string[]> {
  const faults = await folder.faultsOf(withKeys({ 'downstreams.graph.headers': headers }));
  return faults.map(({ at, message }) => `${at}: ${message}`);
}

const NEVER = [
  'Authorization',
  'Cookie',
  'HOST',
  'content-length',
  'Transfer-Encoding',
  'Connection',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Proxy-Authorization',
  'Proxy-Connection',
];

const NOT_FIXED =
  'not Authorization, Cookie, Host, Expect, Content-Length, Proxy-* or what belongs to one connection (RFC 9110 §7.6.1)';

describe('which headers can gateway.yaml', () => {
  it.each(NEVER)('not set: %s', async (name) => {
    expect(await linesOf({ set: { [name]: 'hunter3' } })).toEqual([
      `downstreams.graph.headers.set.${name}: found this name; allowed: ${NOT_FIXED}`,
    ]);
  });

  it.each(NEVER)('not let pass: %s', async (name) => {
    expect(await linesOf({ pass: ['x-a', name] })).toEqual([
      `downstreams.graph.headers.pass[1]: found "${name}"; allowed: ${NOT_FIXED}`,
    ]);
  });

  it.each(['a b', 'a:', 'ä', ''])('not call %j', async (name) => {
    const faults = await linesOf({ set: { [name]: 'hunter3' } });
    expect([faults.length, faults.join('').includes('hunter3')]).toEqual([1, false]);
  });

  it.each([' hunter3', 'hunter3\n', 'hun\r\nter3: x', 'hunter3\u0000', 3, ['hunter3'], { hunter3: 'hunter3' }])(
    'not give the value %j, which no fault shows',
    async (value) => {
      const [fault = '', ...more] = await linesOf({ set: { 'x-api-key': value } });
      expect([fault.startsWith('downstreams.graph.headers.set.x-api-key: found '), more]).toEqual([true, []]);
      expect(fault).not.toContain('hun');
    },
  );

  it('not set twice', async () => {
    expect(await linesOf({ set: { 'X-A': 'hunter3', 'x-a': 'b' } })).toEqual([
      'downstreams.graph.headers.set: found a map of keys; allowed: each header once, in whatever case',
    ]);
  });

  it('set and let pass: any other', async () => {
    const headers = { set: { 'X-Api-Key': 'a b', 'x-utf-8': 'Łódź' }, pass: ['X-MS-CLIENT-PRINCIPAL', 'x_under'] };
    const { downstreams } = await folder.load(withKeys({ 'downstreams.graph.headers': headers }));
    expect(downstreams['graph']?.headers).toEqual(headers);
  });
});
