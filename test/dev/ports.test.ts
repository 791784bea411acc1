import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { listenOnLoopback } from '../../dev/loopback-server.ts';
import { demandFreePorts, findFreePort, findFreePorts, portVariables, readPorts } from '../../dev/ports.ts';

describe('the ports of the demo world', () => {
  it('stand still unless a variable moves them', () => {
    expect(readPorts({ GRAPH_PORT: '9' })).toEqual({
      gateway: 8080,
      management: 9090,
      emulator: 8081,
      graph: 9,
      orders: 8083,
      playground: 3000,
      authorizationService: 8084,
      engine: 8085,
      mailbox: 8086,
    });
  });

  it.each(['http', '0', '70000'])('cannot be %s', (text) => {
    expect(() => readPorts({ ORDERS_PORT: text })).toThrow(/ORDERS_PORT/);
  });

  it('are those of docs/playground.md', () => {
    const document = readFileSync(new URL('../../docs/playground.md', import.meta.url), 'utf8');
    const rows = [...document.matchAll(/^\| `(\w+_PORT)` +\| (\d+) +\|/gm)].map(([, name, port]) => [name, port]);
    expect(Object.fromEntries(rows)).toEqual(portVariables(readPorts({})));
  });

  it('are handed to gateway.yaml as variables', () => {
    expect(portVariables(readPorts({}))).toMatchObject({ GATEWAY_PORT: '8080', MANAGEMENT_PORT: '9090' });
  });
});

describe('ports that were found', () => {
  it('are all different, and none that a system chooses for others', async () => {
    const found = (await Promise.all([findFreePorts(), findFreePorts()])).flatMap((ports) => Object.values(ports));
    expect([new Set(found).size, found.filter((port) => port < 1_024 || port > 32_767)]).toEqual([18, []]);
  });

  it('go round when one process has used up its own', async () => {
    const found = await Promise.all(Array.from({ length: 250 }, () => findFreePort()));
    expect(Math.max(...found) - Math.min(...found)).toBeLessThan(100);
  });
});

describe('a taken port', () => {
  const servers: Awaited<ReturnType<typeof listenOnLoopback>>[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.close())));

  it.each([
    ['emulator', 'EMULATOR_PORT'],
    ['authorizationService', 'AUTHORIZATION_SERVICE_PORT'],
    ['engine', 'ENGINE_PORT'],
  ] as const)('is named with the variable that moves it: %s', async (name, variable) => {
    const ports = await findFreePorts();
    servers.push(await listenOnLoopback({ port: ports[name] }, () => () => {}));
    await expect(demandFreePorts(ports)).rejects.toThrow(
      `Port ${ports[name]} (${name}) is taken; ${variable} moves it.`,
    );
  });
});
