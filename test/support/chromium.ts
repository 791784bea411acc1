import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { describeWith } from './installed-program.ts';

const EXECUTABLE = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** `headless` gives `--headless`; nothing but loopback can be reached; popups are blocked as they are for everybody. */
const LAUNCH = {
  executablePath: EXECUTABLE,
  headless: true,
  chromiumSandbox: false,
  ignoreDefaultArgs: ['--disable-popup-blocking'],
  args: [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
};

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DOCS_PICTURES = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));

/** Milliseconds; what takes longer to appear is not there. */
const PATIENCE = 15_000;

/** How a page is opened. */
interface OpenOptions extends BrowserContextOptions {
  /** True for one whose Content Security Policy has something to do. */
  readonly isAttacked?: boolean;
}

/** The browser of one test file. */
export interface Chromium {
  /** Opens an address as a new person would: with no cookie and nothing stored. */
  open(url: string, options?: OpenOptions): Promise<Page>;
}

/**
 * A `describe` for tests in a real browser: without Chromium they are skipped by name, but fail where CI is set. A test
 * fails when one of its pages asks for anything outside of loopback, breaks its Content Security Policy, logs an error or
 * throws one. What its pages show in the end is kept in `artifacts/`.
 */
export function describeWithChromium(name: string, tests: (chromium: Chromium) => void): void {
  describeWith('chromium', existsSync(EXECUTABLE), name, () => {
    jest.setTimeout(120_000);
    let browser: Browser;
    let visits: Visit[] = [];
    beforeAll(async () => {
      browser = await chromium.launch(LAUNCH);
    });
    afterEach(async () => {
      const ended = visits;
      visits = [];
      await keepPictures(ended.flatMap(({ context }) => context.pages()));
      await Promise.all(ended.map(({ context }) => context.close()));
      expect(ended.flatMap(({ complaints }) => complaints)).toEqual([]);
    });
    afterAll(() => browser.close());
    tests({
      async open(url, { isAttacked = false, ...options } = {}) {
        const context = await browser.newContext(options);
        context.setDefaultTimeout(PATIENCE);
        visits.push({ context, complaints: listenForComplaints(context, new URL(url).origin, isAttacked) });
        const page = await context.newPage();
        await page.goto(url);
        return page;
      },
    });
  });
}

/** True when the pictures of the documents are to be taken anew (`UPDATE_PICTURES`). */
export function keepsPictures(): boolean {
  return process.env['UPDATE_PICTURES'] !== undefined;
}

/**
 * Takes a picture of the page for the documents: into `docs/pictures/` when those are to be taken anew, otherwise only
 * into `artifacts/`.
 *
 * @param name of the file, without `.png`
 */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = keepsPictures() ? DOCS_PICTURES : ARTIFACTS;
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

interface Visit {
  readonly context: BrowserContext;
  readonly complaints: readonly string[];
}

function listenForComplaints(context: BrowserContext, home: string, isAttacked: boolean): readonly string[] {
  const complaints: string[] = [];
  context.on('request', (request) => {
    if (leavesLoopback(request.url())) {
      complaints.push(`asked for ${request.url()}`);
    }
  });
  context.on('weberror', (error) => complaints.push(`threw ${error.error().message}`));
  context.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource: the server responded with a status of');
    // Chromium logs every refusal as an error; those of the gateway and Entra are what the pages are about.
    const isDefence = isAttacked && message.text().includes('violates the following Content Security Policy directive');
    if (message.type() !== 'error' || isDefence || (isRefusal && originOf(message.location().url) !== home)) {
      return;
    }
    complaints.push(`logged ${message.text()} (${message.location().url})`);
  });
  return complaints;
}

function leavesLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return /^(https?|wss?):$/.test(protocol) && !['localhost', '127.0.0.1'].includes(hostname);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}

async function keepPictures(pages: readonly Page[]): Promise<void> {
  const name = (expect.getState().currentTestName ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  await Promise.all(
    pages.map((page, number) =>
      page.screenshot({ path: join(ARTIFACTS, 'tests', `${name}${number === 0 ? '' : `-${number}`}.png`) }),
    ),
  );
}
