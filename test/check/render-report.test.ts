import { describe, expect, it } from '@jest/globals';
import { renderReport } from '../../src/check/render-report.ts';
import { fail, pass, warn } from '../../src/check/row.ts';

describe('the printed report', () => {
  it('aligns the columns, puts reason and remedy below, and counts', () => {
    expect(
      renderReport([
        pass('clock', 'that of Entra'),
        warn('public address', 'not set', { reason: 'why', remedy: 'what', key: 'server.publicUrl' }),
        fail('ports', 'both are 1', { reason: 'why', remedy: 'what' }),
      ]),
    ).toEqual([
      'ok    clock           that of Entra',
      'warn  public address  not set',
      '      reason: why',
      '      remedy: server.publicUrl: what',
      'fail  ports           both are 1',
      '      reason: why',
      '      remedy: what',
      '1 ok, 1 warnings, 1 failures',
    ]);
  });

  it('lets nothing from the network move the cursor', () => {
    expect(renderReport([pass('clock', 'a\u001B[2Jb\r\nc')])[0]).toBe('ok    clock  a [2Jb c');
  });

  it('counts nothing when there is nothing', () => {
    expect(renderReport([])).toEqual(['0 ok, 0 warnings, 0 failures']);
  });
});
