import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPinned, type PinnedProcess } from './child-process.ts';

/** One thread, no log, connections to servers kept and shared; the rest is HAProxy's own default. */
const COMMON = `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout http-keep-alive 120s
`;

/** Starts a HAProxy in the foreground with the given sections; it is not yet ready. */
export async function startHaproxy(options: {
  readonly name: string;
  readonly core: number;
  readonly folder: string;
  readonly sections: string;
}): Promise<PinnedProcess> {
  const file = join(options.folder, `${options.name.replaceAll(/\W+/g, '-')}.cfg`);
  await writeFile(file, COMMON + options.sections);
  return startPinned({ ...options, command: 'haproxy', args: ['-db', '-q', '-f', file] });
}
