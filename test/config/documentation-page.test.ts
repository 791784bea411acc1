import { afterAll, describe, expect, it } from '@jest/globals';
import { CLIENT, CONTRACT, linesOf, makeConfigFolder, withKeys } from './config-folder.ts';

const folder = await makeConfigFolder();
afterAll(() => folder.remove());

describe('server.docs', () => {
  it.each([
    { written: undefined, docs: false },
    { written: false, docs: false },
    { written: true, docs: true },
    { written: { clientId: CLIENT.toUpperCase() }, docs: { clientId: CLIENT } },
  ])('written as $written is $docs', async ({ written, docs }) => {
    const keys = written === undefined ? {} : { 'server.docs': written };
    expect((await folder.load(withKeys(keys))).server.docs).toEqual(docs);
  });

  it.each([
    { written: 'yes', fault: 'server.docs: found "yes"; allowed: true, false or { clientId: … }' },
    {
      written: { clientId: 'page' },
      fault: 'server.docs.clientId: found "page"; allowed: the application (client) id of the page (a GUID)',
    },
    { written: {}, fault: 'server.docs.clientId: found nothing; allowed: the application (client) id of the page' },
    {
      written: { clientID: CLIENT, clientId: CLIENT },
      fault: 'server.docs.clientID: is not a known key; did you mean clientId?',
    },
  ])('written as $written is refused: $fault', async ({ written, fault }) => {
    expect(linesOf(await folder.faultsOf(withKeys({ 'server.docs': written })))).toEqual([fault]);
  });

  it.each([
    { path: '/docs', faults: ['contract GET /docs: is at or below /docs, where server.docs shows the documents'] },
    { path: '/docs/x', faults: ['contract GET /docs/x: is at or below /docs, where server.docs shows the documents'] },
    { path: '/docsets', faults: [] },
  ])('leaves $path to the contract, or says why not', async ({ path, faults }) => {
    await folder.write('openapi.yaml', CONTRACT.replace('/me:', `${path}:`));
    const outcome = folder.faultsOf(withKeys({ 'server.docs': true })).then(linesOf);
    const expected = faults.length > 0 ? faults : 'The configuration was accepted.';
    expect(await outcome.catch((error: unknown) => (error as Error).message)).toEqual(expected);
    expect(await folder.load(withKeys({}))).toBeDefined();
    await folder.write('openapi.yaml', CONTRACT);
  });

  it('and native authentication need paths of their own', async () => {
    const nativeAuth = { path: '/docs/native', origins: ['https://shop.contoso.com'], clients: [CLIENT] };
    const keys = { 'identity.authority': 'https://contoso.ciamlogin.com', 'server.docs': true, nativeAuth };
    expect(linesOf(await folder.faultsOf(withKeys(keys)))).toEqual([
      'nativeAuth.path: is at or below /docs, where server.docs shows the documents',
    ]);
  });
});
