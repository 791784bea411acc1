import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOAD_CORE, startPinned } from './child-process.ts';
import { startHaproxy } from './haproxy.ts';
import { findFreePorts, untilReady } from './ports.ts';
import type { MeasuredServer } from './server.ts';
import { runTypeScript } from './typescript.ts';

/** Two downstream APIs on the load's core; neither looks at tokens. */
export interface BenchDownstream {
  /** HAProxy's built-in answers, the fastest there are: `/me`, `/4k`, `/discard`, and `/seen` (the token it got). */
  readonly fast: MeasuredServer;
  /** A Node server for what HAProxy cannot make up: `/bytes/{n}`, `/upload`, `/events`, `/held`. */
  readonly stream: MeasuredServer;
}

/** The answer of `GET /me`: about 200 bytes. */
const PROFILE = JSON.stringify({
  id: '4f2d1c9a-7b1e-4a55-9d0f-2f6f0c1b7a10',
  displayName: 'Adele Vance',
  mail: 'adele@contoso.com',
  jobTitle: 'Retail Manager',
  officeLocation: '18/2111',
  preferredLanguage: 'en-US',
});

/** Starts both. */
export async function startDownstream(folder: string): Promise<BenchDownstream> {
  const [fast = 0, stream = 0] = await findFreePorts(2);
  const fastOrigin = `http://127.0.0.1:${fast}`;
  const streamOrigin = `http://127.0.0.1:${stream}`;
  const profile = join(folder, 'profile.json');
  const fourKilobytes = join(folder, '4k');
  await writeFile(profile, PROFILE);
  await writeFile(fourKilobytes, 'x'.repeat(4_096));
  const [fastServer, streamServer] = await Promise.all([
    startHaproxy({
      name: 'fast downstream',
      core: LOAD_CORE,
      folder,
      sections: `
frontend downstream
  bind 127.0.0.1:${fast}
  http-request wait-for-body time 10s if METH_POST
  http-request return status 200 content-type application/json file ${profile} if { path /me }
  http-request return status 200 content-type application/octet-stream file ${fourKilobytes} if { path /4k }
  http-request return status 200 content-type text/plain string ok if { path /discard }
  http-request return status 200 content-type text/plain lf-string "%[req.hdr(authorization),bytes(0,60)]" if { path /seen }
`,
    }),
    startPinned({
      name: 'stream downstream',
      core: LOAD_CORE,
      ...runTypeScript('downstream.ts', stream),
    }),
  ]);
  await Promise.all([untilReady(fastServer, `${fastOrigin}/me`), untilReady(streamServer, `${streamOrigin}/bytes/1`)]);
  return {
    fast: { name: 'the downstream alone', origin: fastOrigin, process: fastServer },
    stream: { name: 'the downstream alone', origin: streamOrigin, process: streamServer },
  };
}
