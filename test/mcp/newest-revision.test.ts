import { afterAll, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startWorld } from '../tools/mcp-conformance/conformance-world.ts';

const world = await startWorld();
afterAll(() => world.close());

/** A program of the official SDK that speaks revision 2026-07-28, whose headers say what is in the body. */
async function connect(address: string): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: {} } },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Adele' } }));
  await client.connect(new StreamableHTTPClientTransport(new URL(address)));
  return client;
}

it.each([
  ['without the gateway', 'direct'],
  ['through the gateway, which takes each message for what it is', 'guarded'],
] as const)('a program works the same %s', async (_how, way) => {
  const client = await connect(world.addresses[way]);
  await client.listTools();
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<unknown> =>
    (await client.callTool({ name, arguments: args })).content;
  expect([
    client.getNegotiatedProtocolVersion(),
    await call('test_simple_text'),
    await call('test_x_mcp_header', { region: 'Zürich' }),
    await call('test_input_required_result_elicitation'),
    (await client.readResource({ uri: 'test://static-text' })).contents,
    (await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } })).messages,
  ]).toEqual([
    '2026-07-28',
    [expect.objectContaining({ text: 'A text.' })],
    [expect.objectContaining({ text: 'In Zürich.' })],
    [expect.objectContaining({ text: expect.stringContaining('Adele') })],
    [expect.objectContaining({ text: 'A text.' })],
    [expect.objectContaining({ content: expect.objectContaining({ text: 'A prompt of a and b.' }) })],
  ]);
  await client.close();
});

it('a tool that asks for more is refused in that revision, too', async () => {
  const client = await connect(world.addresses.guarded);
  await expect(client.callTool({ name: 'delete_file', arguments: {} })).rejects.toThrow('client_not_capable');
  await client.close();
});
