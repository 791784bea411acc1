import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { findImageNode, findOwnNode } from './servers/node-runtime.ts';

const PEERS = ['@fastify/reply-from', 'fastify', 'express', 'http-proxy-middleware', 'passport-jwt', 'axios'];

/**
 * The machine and the versions that the figures belong to, as lines of name and value.
 *
 * @param stolen what its neighbours took of it, in words
 */
export function describeMachine(stolen: string): [string, string][] {
  const processors = cpus();
  return [
    ['processor', `${processors[0]?.model.trim()}, ${processors.length} cores, ${Math.round(totalmem() / 1e9)} GB`],
    ['kernel', `Linux ${release()}`],
    ['stolen by neighbours', stolen],
    [
      'node of the servers',
      `${findImageNode().version}; in the rows that say so ${findOwnNode().version}, which also runs the load`,
    ],
    ['haproxy', firstLineOf('haproxy', '-v').replace(/^HAProxy version (\S+).*/, '$1')],
    [
      'nginx',
      spawnSync('nginx', ['-v'], { encoding: 'utf8' })
        .stderr.trim()
        .replace(/^nginx version: nginx\//, ''),
    ],
    ['wrk', firstLineOf('wrk', '-v').replace(/^wrk (\S+).*/, '$1')],
    ['peers', [...PEERS, '@azure/msal-node'].map((name) => `${name} ${versionOfPeer(name)}`).join(', ')],
    ['commit', firstLineOf('git', 'describe', '--always', '--dirty')],
  ];
}

function versionOfPeer(name: string): string {
  const file = new URL(`peers/node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** wrk tells its version with the exit code of a fault; outside of a git clone there is no commit. */
function firstLineOf(command: string, ...args: readonly string[]): string {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return stdout.split('\n')[0] || 'unknown';
}
