import type { IncomingMessage, ServerResponse } from 'node:http';
import { DOCUMENTATION_PATH } from '../contract/own-paths.ts';
import { GatewayError } from '../failures.ts';
import type { PageHeaders } from '../http/security-headers.ts';
import type { RequestTarget } from '../request/receive.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { makePageFile, PAGE_FILES, readPageFile, type PageFile } from './page-files.ts';
import type { PageSettings } from './page-settings.ts';

/** One request to the page, or to another door. */
interface PageRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  readonly record: RequestRecord;
}

const PAGE = 'index.html';
const SETTINGS = 'settings.json';

/** Where people come who write a slash at the end; from there the page would look for its files in another folder. */
const FOLDER = `${DOCUMENTATION_PATH}/`;
const TO_PAGE = '../docs';

/** Where Entra sends the popup of a sign-in; it hands the code to the page that opened it. */
const POPUP_PATH = `${FOLDER}oauth2-redirect.html`;

/** Browsers ask each time whether what they have is still right: an upgrade must not leave half of an old page. */
const CACHE_CONTROL = 'no-cache';

/**
 * The page of the documents with all that it loads, each on a path of its own. It stands beside the journey of the API:
 * everybody may read it, as they may read the documents.
 */
export class DocumentationPage {
  readonly #headers: PageHeaders;
  readonly #files: ReadonlyMap<string, () => Promise<PageFile>>;

  constructor(settings: PageSettings, headers: PageHeaders) {
    this.#headers = headers;
    this.#files = new Map([
      [DOCUMENTATION_PATH, once(() => readPageFile(PAGE))],
      [`${FOLDER}${SETTINGS}`, once(async () => makePageFile(SETTINGS, Buffer.from(JSON.stringify(settings))))],
      ...PAGE_FILES.filter((name) => name !== PAGE).map(
        (name) => [`${FOLDER}${name}`, once(() => readPageFile(name))] as const,
      ),
    ]);
  }

  /** True for a path of the page, or of what it loads. */
  serves(path: string): boolean {
    return this.#files.has(path) || path === FOLDER;
  }

  /**
   * Answers a request for the page or what it loads, or says `false` to any other.
   *
   * @throws {GatewayError} for methods other than GET and HEAD
   */
  answer({ req, res, target: { path }, record }: PageRequest): Promise<void> | boolean {
    const read = this.#files.get(path);
    if (!this.serves(path)) {
      return false;
    }
    record.operation = path;
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      throw new GatewayError('method_not_allowed', { allow: ['GET', 'HEAD'] });
    }
    const security = path === POPUP_PATH ? this.#headers.popup : this.#headers.page;
    const headers = ['x-request-id', record.requestId, 'cache-control', CACHE_CONTROL, ...security];
    if (read === undefined) {
      res.writeHead(308, ['location', TO_PAGE, 'content-length', '0', ...headers]).end();
      return true;
    }
    return read().then((file) => send(file, req, res, headers));
  }
}

function send(file: PageFile, req: IncomingMessage, res: ServerResponse, headers: readonly string[]): void {
  const { content, mediaType, etag } = file;
  if (hasCopy(req, etag)) {
    res.writeHead(304, ['etag', etag, ...headers]).end();
    return;
  }
  const length = String(content.length);
  res.writeHead(200, ['content-type', mediaType, 'content-length', length, 'etag', etag, ...headers]).end(content);
}

/** RFC 9110 §13.1.2: the weak comparison, because what compresses an answer on its way weakens its tag. */
function hasCopy({ headers: { 'if-none-match': tags = '' } }: IncomingMessage, etag: string): boolean {
  return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** Reads when it is first asked to, and gives the same again; what failed is tried again. */
function once(read: () => Promise<PageFile>): () => Promise<PageFile> {
  let reading: Promise<PageFile> | undefined;
  return () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}
