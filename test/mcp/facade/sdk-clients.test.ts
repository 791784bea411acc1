import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_CLIENT_ID } from '../../../dev/emulator/world.ts';
import { claimsOf } from '../../dev/token-requests.ts';
import { answerMessages, connect, Person } from '../sdk-program.ts';
import { CLIENT_ID, startFacadeWorld } from './facade-world.ts';

const world = await startFacadeWorld(
  { mcp: { authorizationServer: 'facade', register: true, clientId: CLIENT_ID } },
  `api://${GATEWAY_CLIENT_ID}`,
);
afterAll(() => world.close());
beforeEach(() => {
  world.downstream.answer = answerMessages;
});

describe.each(['v1', 'v2'] as const)('the client of the official SDK, %s,', (version) => {
  it('signs in once to connect, and asks for no more than that needs', async () => {
    const megan = new Person();
    const program = await connect(version, world.resource, megan);
    expect(await program.listTools()).toEqual(['read_file', 'delete_file']);
    expect(await program.callTool('read_file')).toBe('read_file');
    expect([megan.visits.length, claimsOf(megan.saved?.access_token)['scp']]).toEqual([1, 'files.read']);
    await program.close();
  });

  it('steps up once for a tool that asks for more, and goes on', async () => {
    const megan = new Person();
    const program = await connect(version, world.resource, megan);
    expect(await program.callTool('delete_file')).toBe('delete_file');
    expect(await program.callTool('delete_file')).toBe('delete_file');
    expect(await program.callTool('read_file')).toBe('read_file');
    const scopes = megan.visits.map(({ searchParams }) => (searchParams.get('scope') ?? '').split(' ').length);
    expect([scopes.length, claimsOf(megan.saved?.access_token)]).toEqual([
      2,
      expect.objectContaining({ acrs: ['c1'], scp: expect.stringContaining('files.write') }),
    ]);
    await program.close();
  });

  it('gets a client id where it has none', async () => {
    const megan = new Person({ clientId: null });
    const program = await connect(version, world.resource, megan);
    expect([await program.callTool('read_file'), megan.clientInformation()]).toEqual([
      'read_file',
      expect.objectContaining({ client_id: CLIENT_ID }),
    ]);
    await program.close();
  });
});
