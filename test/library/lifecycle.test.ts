import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import express from 'express';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import { createObo } from '../../src/index.ts';
import { startApplicationWorld } from '../support/application-world.ts';
import { until } from '../support/gateway-poll.ts';
import { readProblem } from '../support/gateway-world.ts';

const INDEX = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
const TSX = fileURLToPath(new URL('../../node_modules/tsx/dist/esm/index.mjs', import.meta.url));

it('close ends what is under way, and lets nobody in any more', async () => {
  const world = await startApplicationWorld();
  const { obo, emulator, graph } = world;
  const app = express();
  app.get('/', obo.protect(), async (req, res) => {
    res.json((await obo.downstream(req, 'graph').get<unknown>('/')).data);
  });
  app.use(obo.answerErrors());
  const url = await world.listen(app);
  const call = (user: string): Promise<Response> =>
    fetch(url, { headers: { authorization: `Bearer ${world.token(user)}` } });
  graph.answer = () => undefined;
  const waiting = call('adele');
  await until('the downstream is asked', () => graph.requests.length === 1);
  emulator.switches.entra = 'hang';
  const exchanging = call('guest');
  await until('Entra is asked', () => emulator.exchanges.length === 2);
  await Promise.all([obo.close(), obo.close()]);
  expect((await readProblem(await waiting)).code).toBe('downstream_unreachable');
  expect((await readProblem(await exchanging)).code).toBe('identity_unavailable');
  expect((await readProblem(await call('adele'))).code).toBe('overloaded');
  expect(obo.health()).toEqual({ ready: false, reason: 'closed' });
  await world.close();
});

it('an instance is there before Entra answers, and says that it is not ready', async () => {
  const emulator = await startEmulator();
  emulator.switches.keys = 'down';
  const world = { authority: emulator.origin, tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47' };
  const obo = await createObo({
    config: { identity: { ...world, clientId: 'client', credential: { secret: 'secret' } }, downstreams: {} },
  });
  expect(obo.health()).toEqual({ ready: false, reason: 'no signing keys of Entra yet' });
  emulator.switches.keys = 'up';
  await until('the keys are there', () => obo.health().ready);
  await obo.close();
  await emulator.close();
});

it('a process that uses it ends by itself, closed or not, and importing it begins nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'obo-exit-'));
  const program = join(folder, 'main.mjs');
  await writeFile(
    program,
    `import { createObo } from ${JSON.stringify(INDEX)};
     const begun = process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|TLS/.test(name)).length;
     const config = {
       identity: { authority: 'http://127.0.0.1:9', tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47', clientId: 'c', credential: { secret: 's' } },
       downstreams: { graph: { baseUrl: 'http://127.0.0.1:9', scopes: ['User.Read'] } },
     };
     const [one] = await Promise.all([createObo({ config }), createObo({ config })]);
     await one.close();
     console.log('begun', begun);`,
  );
  // Without a limit of its own: a process that does not end fails by the limit of the test.
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', TSX, program]);
  expect(stdout.trim()).toBe('begun 0');
  await rm(folder, { recursive: true });
});
