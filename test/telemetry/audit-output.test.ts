import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/failures.ts';
import { checkAudit, openAudit } from '../../src/telemetry/audit-output.ts';

const folder = mkdtempSync(join(tmpdir(), 'audit-output-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

const DROP = { whenBlocked: 'drop' } as const;

describe('a file that cannot be opened is a fault of log.audit, at once and when the gateway starts', () => {
  it.each([
    ['a folder that is not there', join(folder, 'gone', 'audit.log'), 'ENOENT'],
    ['a folder in the place of a file', folder, 'EISDIR'],
    ['a pipe that nobody reads', fifo, 'ENXIO'],
    ['a file in the place of a folder', join(folder, 'fifo', 'audit.log'), 'ENOTDIR'],
  ])('%s', (_, path, code) => {
    const fault = { at: 'log.audit', message: `cannot be opened for writing (${code}); allowed: a file, or 'stderr'` };
    expect(checkAudit(path)).toEqual(fault);
    expect(() => openAudit(path, DROP)).toThrow(new ConfigError([fault]));
  });
});

describe('a file that can be opened', () => {
  it('is not made by the check', () => {
    const path = join(folder, 'unmade.log');
    expect([checkAudit(path), existsSync(path)]).toEqual([undefined, false]);
  });

  it('is made for the owner and the group, gets the lines at its end, and has them all when it is closed', () => {
    const path = join(folder, 'made.log');
    for (const line of ['one\n', 'two\n']) {
      const audit = openAudit(path, DROP);
      audit.output.write(line);
      audit.close();
    }
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o007]).toEqual(['one\ntwo\n', 0]);
    expect(checkAudit(path)).toBeUndefined();
  });

  it('gets nothing after it was closed, nor does the file that has its descriptor then', () => {
    const path = join(folder, 'closed.log');
    const audit = openAudit(path, DROP);
    const { output } = audit;
    audit.close();
    const next = join(folder, 'next.log');
    const other = openAudit(next, DROP);
    output.write('late\n');
    output.flush();
    other.close();
    expect([readFileSync(path, 'utf8'), readFileSync(next, 'utf8'), output.droppedLines]).toEqual(['', '', 1]);
  });

  it('is left alone by whoever only looks', () => {
    const path = join(folder, 'kept.log');
    writeFileSync(path, 'kept\n');
    expect([checkAudit(path), readFileSync(path, 'utf8')]).toEqual([undefined, 'kept\n']);
  });
});
