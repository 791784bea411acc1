import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** A file of the page as it is sent. */
export interface PageFile {
  readonly content: Buffer;
  /** Of `content-type`. */
  readonly mediaType: string;
  /** A strong entity tag (RFC 9110 §8.8.3). */
  readonly etag: string;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The page itself. */
const OWN_FILES = ['index.html', 'page.css', 'page.js', 'adapt-document.js', 'icon.svg'] as const;

/** What is needed of Swagger UI. */
const SWAGGER_UI_FILES = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
] as const;

/** One of the files that the page is made of. */
export type PageFileName = (typeof OWN_FILES)[number] | (typeof SWAGGER_UI_FILES)[number];

/** Every file that the page is made of. */
export const PAGE_FILES: readonly PageFileName[] = [...OWN_FILES, ...SWAGGER_UI_FILES];

/**
 * Reads a file of the page.
 *
 * @throws the error of the file system where the installation is not whole
 */
export async function readPageFile(name: PageFileName): Promise<PageFile> {
  const isOwn = OWN_FILES.some((own) => own === name);
  const folder = isOwn ? fileURLToPath(new URL('page', import.meta.url)) : findSwaggerUi();
  return makePageFile(name, await readFile(`${folder}/${name}`));
}

/**
 * Makes a file of the page.
 *
 * @param name of which the end tells the media type
 */
export function makePageFile(name: string, content: Buffer): PageFile {
  const mediaType = MEDIA_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/json';
  return { content, mediaType, etag: `"${createHash('sha256').update(content).digest('base64url')}"` };
}

/** A build has Swagger UI beside this file (`dev/copy-page.js`); a checkout has it as a development package. */
function findSwaggerUi(): string {
  const built = fileURLToPath(new URL('swagger-ui', import.meta.url));
  return existsSync(built) ? built : dirname(require.resolve('swagger-ui-dist/package.json'));
}
