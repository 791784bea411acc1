import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { rowOf, startCheckWorld } from './check-world.ts';

const world = await startCheckWorld();
afterAll(() => world.close());

const holder = createServer();
holder.listen(0, '127.0.0.1');
await once(holder, 'listening');
afterAll(() => {
  holder.close();
});
const { port } = holder.address() as AddressInfo;

describe('the ports', () => {
  it('may be any', async () => {
    const rows = await world.rowsOf();
    expect(rowOf(rows, 'server.port')).toMatchObject({ status: 'ok' });
    expect(rowOf(rows, 'server.management.port')).toMatchObject({ status: 'ok' });
  });

  it('are warned of when taken, because a running gateway may hold them', async () => {
    const rows = await world.rowsOf({ server: { port } });
    expect(rowOf(rows, 'server.port')).toMatchObject({ status: 'warn', found: `${port} is taken`, key: 'server.port' });
  });

  it('must be on this machine', async () => {
    const rows = await world.rowsOf({ server: { management: { host: '192.0.2.1', port: 0 } } });
    expect(rowOf(rows, 'server.management.port')).toMatchObject({
      status: 'fail',
      found: '0 of 192.0.2.1 cannot be had (EADDRNOTAVAIL)',
      key: 'server.management.host',
    });
  });

  it('must differ', async () => {
    const rows = await world.rowsOf({ server: { port, management: { port } } });
    expect(rowOf(rows, 'ports')).toMatchObject({ status: 'fail', found: `both are ${port}` });
  });
});
