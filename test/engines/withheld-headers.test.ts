import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { WITHHELD } from '../../src/forward/withheld-headers.ts';

/** How a published configuration takes a header of an API's answer away. */
interface Stripping {
  readonly file: string;
  readonly name: (name: string) => string;
  /** Absent for an engine that has to name each header. */
  readonly prefix?: (prefix: string) => string;
}

const STRIPPING: readonly Stripping[] = [
  { file: 'nginx/to-api.conf', name: (name) => `proxy_hide_header ${name};` },
  { file: 'caddy/Caddyfile', name: (name) => `header_down -${name}`, prefix: (prefix) => `header_down -${prefix}*` },
  {
    file: 'haproxy/haproxy.cfg',
    name: (name) => `http-response del-header ${name}`,
    prefix: (prefix) => `http-response del-header ${prefix} -m beg`,
  },
];

/** What engines set anew, in the place of what an API says. */
const SET = ['x-content-type-options', 'x-request-id'];

describe.each(STRIPPING)('$file', ({ file, name, prefix }) => {
  const lines = readFileSync(new URL(`../../deploy/engines/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .map((line) => line.trim().toLowerCase());

  it.each(WITHHELD.filter(({ purpose }) => purpose !== 'belongs to one connection'))(
    'withholds what the proxy withholds: what $purpose',
    ({ names = [], prefixes = [] }) => {
      const wanted = [
        ...names.filter((one) => !SET.includes(one)).map(name),
        ...(prefix === undefined ? [] : prefixes.map(prefix)),
      ];
      expect(wanted.filter((line) => !lines.includes(line.toLowerCase()))).toEqual([]);
    },
  );
});
