import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ATTRIBUTES } from '../../src/telemetry/otlp/attributes.ts';

const page = readFileSync(new URL('../../docs/operate/tracing.md', import.meta.url), 'utf8');

describe('the table of attributes in docs/operate/tracing.md', () => {
  it('has every attribute of the spans with what it says, and no other', () => {
    const lines = page.split('\n');
    const start = lines.findIndex((line) => line.startsWith('| attribute '));
    const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
    const rows = lines.slice(start + 2, end).map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, 3),
    );
    expect(rows).toEqual(Object.entries(ATTRIBUTES).map(([name, says]) => [`\`${name}\``, says]));
  });
});
