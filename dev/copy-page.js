// Copies the documentation page and what it needs of Swagger UI beside the compiled program:
// `node dev/copy-page.js <folder>`. The packages that are installed with the program need not hold Swagger UI then, which
// is a development package here.
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the page loads, and under which terms it is passed on. */
const SWAGGER_UI_FILES = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'oauth2-redirect.html',
  'oauth2-redirect.js',
  'LICENSE',
  'NOTICE',
  'swagger-ui-bundle.js.LICENSE.txt',
];

const target = join(process.argv[2] ?? 'dist', 'documentation');
const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
cpSync(fileURLToPath(new URL('../src/documentation/page', import.meta.url)), join(target, 'page'), {
  recursive: true,
  filter: (file) => !file.endsWith('tsconfig.json'),
});
mkdirSync(join(target, 'swagger-ui'), { recursive: true });
for (const name of SWAGGER_UI_FILES) {
  cpSync(join(swaggerUi, name), join(target, 'swagger-ui', name));
}
