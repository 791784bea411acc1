import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGraph } from '../../dev/demo-apis/graph.ts';
import type { DemoApi } from '../../dev/demo-apis/demo-api.ts';
import { startOrders } from '../../dev/demo-apis/orders.ts';
import { startEmulator, type Emulator } from '../../dev/emulator/emulator.ts';
import { GATEWAY_CLIENT_SECRET } from '../../dev/emulator/world.ts';
import { findFreePort } from '../../dev/ports.ts';
import { until } from '../support/gateway-poll.ts';
import { InstalledPackage } from './installed-package.ts';
import { LIBRARY_PAGES, readBlocks, readDescribedCommands, readFileOf } from './library-pages.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = 'test/packaging/user/main.ts';
const GUIDE = 'library.md';

/** Minutes: npm installs packages and a compiler reads them all, on a machine that has other things to do. */
const PATIENCE_MS = 240_000;

/** Says what somebody meets who installs the tarball in an empty folder. */
export function describeInstalledLibrary(tarball: () => string): void {
  describe('the package, installed in an empty folder', () => {
    const installed = new InstalledPackage(mkdtempSync(join(tmpdir(), 'library-user-')));
    let emulator: Emulator;
    let graph: DemoApi;
    let orders: DemoApi;

    beforeAll(async () => {
      emulator = await startEmulator();
      graph = await startGraph({ emulator });
      orders = await startOrders({ emulator });
      await installed.install(tarball());
    }, PATIENCE_MS);
    afterAll(async () => {
      await Promise.all([orders.close(), graph.close(), emulator.close()]);
      rmSync(installed.folder, { recursive: true });
    });

    it(
      'compiles by strict rules: a program that uses every export, and the code of the pages',
      async () => {
        const blocks = LIBRARY_PAGES.flatMap(readBlocks)
          .filter(({ language, isOurs }) => language === 'ts' && isOurs)
          .map(({ text }) => text);
        await installed.compile(PROGRAM, [...blocks, withMoreRoutes(readFileOf(GUIDE, 'app.js'))]);
      },
      PATIENCE_MS,
    );

    it('has no export that the program does not use', () => {
      const exported = readFileSync(join(ROOT, 'src/index.ts'), 'utf8').matchAll(/^export (?:type )?\{([^}]*)\}/gm);
      const names = [...exported].flatMap(([, list = '']) => list.match(/\w+/g) ?? []);
      const program = readFileSync(join(ROOT, PROGRAM), 'utf8');
      const uses = (name: string): number => program.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
      expect(names.filter((name) => uses(name) < 2)).toEqual([]);
    });

    it(
      'serves Express 5, Express 4, passport and Node alone',
      async () => {
        const token = (user: string): string => emulator.issueAccessToken({ user });
        const output = await installed.runNode(['--disable-warning=ExperimentalWarning', 'built/main.js'], {
          ENTRA_URL: emulator.origin,
          GRAPH_URL: graph.origin,
          ORDERS_URL: orders.origin,
          ADELE: token('adele'),
          MEGAN: token('megan'),
          DAEMON: emulator.issueAccessToken({ app: 'daemon' }),
        });
        expect(JSON.parse(output)).toEqual({
          five: {
            nobody: [401, 'missing_token', true],
            user: { kind: 'user', canRead: true },
            app: { kind: 'app', canRead: false },
            page: { name: 'Adele Vance', orders: 200, isOneToken: true },
            stepUp: [401, 'insufficient_claims', true],
            passport: { kind: 'user', canRead: true },
            forgotten: [500, 'OboUsageError', false],
          },
          four: {
            nobody: [401, 'missing_token', true],
            page: { name: 'Adele Vance' },
            stepUp: [401, 'insufficient_claims', true],
          },
          node: [401, 'missing_token', true],
          counts: true,
          faults: ['identity.tenant', 'identity.clientId', 'identity.credential', 'downstreams'],
          proxy: ['contract'],
          embedded: 'function',
          package: ['obo-gateway', 'gateway.yaml of obo-gateway'],
          warnings: [],
        });
      },
      PATIENCE_MS,
    );

    describe('the tutorial of docs/library.md', () => {
      let adapt: (text: string) => string;
      let stop: (() => Promise<void>) | undefined;

      beforeAll(async () => {
        const port = await findFreePort();
        const ports: Readonly<Record<string, string>> = {
          '8081': new URL(emulator.origin).port,
          '8082': new URL(graph.origin).port,
          '8083': new URL(orders.origin).port,
          '4000': String(port),
        };
        adapt = (text) => text.replaceAll(/\b(?:8081|8082|8083|4000)\b/g, (written) => ports[written] ?? written);
        installed.write('gateway.yaml', adapt(readFileOf(GUIDE, 'gateway.yaml')));
        installed.write('app.js', adapt(withMoreRoutes(readFileOf(GUIDE, 'app.js'))));
        installed.write('app.test.js', adapt(readFileOf(GUIDE, 'app.test.js')));
        stop = installed.start('app.js', { CLIENT_SECRET: GATEWAY_CLIENT_SECRET });
        const address = adapt('http://localhost:4000/me');
        await until(
          'the application of the tutorial answers',
          () => fetch(address).then(({ status }) => status === 401, isRefused),
          PATIENCE_MS / 2,
        );
      }, PATIENCE_MS);
      afterAll(() => stop?.());

      it.each(readDescribedCommands(GUIDE))('$title', async ({ command, status, code }) => {
        const output = await installed.runCommands(adapt(command));
        expect(output).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
        expect(/"code":"(\w+)"/.exec(output)?.[1]).toBe(code);
      });

      it('has a test that passes', async () => {
        expect(await installed.runNode(['--test', '--test-reporter=tap', 'app.test.js'])).toContain('# fail 0');
      });
    });
  });
}

/** Adds the routes of the page before the handler of errors, as it says. */
function withMoreRoutes(app: string): string {
  const routes = readBlocks(GUIDE).find(
    ({ language, text }) => language === 'js' && text.includes("app.post('/payouts'"),
  );
  return app.replace('app.use(obo.answerErrors());', `${routes?.text ?? ''}\n$&`);
}

/** What `fetch` rejects with while nobody listens. */
function isRefused(): boolean {
  return false;
}
