import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EVENTS } from '../../src/telemetry/events.ts';
import { anchorsOf, DOCS, documentedMetrics, quoted, readDocument, rowsOf } from '../support/documents.ts';
import { until } from '../support/gateway-poll.ts';
import { startGatewayWorld } from '../support/gateway-world.ts';
import { readPage } from '../support/metrics-page.ts';
import { selfSigned } from '../support/token-certificate.ts';

// Everything that has metrics of its own. Nobody has to be there: what is known of Redis is known without it.
const folder = mkdtempSync(join(tmpdir(), 'operate-'));
const { cert, key } = selfSigned('gateway');
const certificate = { cert: join(folder, 'app.pem'), key: join(folder, 'app.key') };
writeFileSync(certificate.cert, cert);
writeFileSync(certificate.key, key);
const world = await startGatewayWorld({
  identity: { credential: { certificate } },
  tokenCache: { redis: { url: 'redis://127.0.0.1:1' } },
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

async function readMetrics(): Promise<string> {
  return (await fetch(`${world.managementUrl}/metrics`)).text();
}

describe('the table of metrics in docs/operate/metrics.md', () => {
  it('has the name, type and labels of every metric of our own, and no other', async () => {
    await world.call('/open');
    await until('the request is counted', async () => (await readMetrics()).includes('status="200"'));
    const own = [...readPage(await readMetrics())].filter(([name]) => name.startsWith('gateway_'));
    const documented = documentedMetrics().map(({ name, type, labels }) => `${name} ${type} ${labels.join()}`);
    const told = own.map(([name, { type, labels }]) => `${name} ${type} ${labels.join()}`);
    expect(documented.toSorted()).toEqual(told.toSorted());
  });
});

describe('the table of events in docs/operate/audit.md', () => {
  it('has the name, level and members of every event, and no other', () => {
    const documented = rowsOf('operate/audit.md', 'event').map(([name, level, fields]) => [
      quoted(name)[0],
      level,
      quoted(fields),
    ]);
    expect(documented).toEqual(Object.entries(EVENTS).map(([name, { level, fields }]) => [name, level, [...fields]]));
  });
});

describe('the index docs/operate.md', () => {
  it('has a row for every page of docs/operate/', () => {
    const linked = rowsOf('operate.md', 'question').map(([, page]) => /\((\S+)\)/.exec(page ?? '')?.[1]);
    const pages = readdirSync(new URL('operate/', DOCS)).filter((name) => name.endsWith('.md'));
    expect(linked).toEqual(expect.arrayContaining(pages.map((name) => `operate/${name}`)));
  });
});

const PAGES = ['operate.md', ...readdirSync(new URL('operate/', DOCS), { recursive: true, encoding: 'utf8' })]
  .filter((name) => name.endsWith('.md'))
  .map((name) => (name === 'operate.md' ? name : `operate/${name}`));

describe('the links of the pages about operating', () => {
  it.each(PAGES)('%s leads to files and headings that exist', (name) => {
    const here = new URL(name, DOCS);
    const links = [...readDocument(name).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? here : new URL(path, here);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
