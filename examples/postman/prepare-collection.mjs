/**
 * Makes a test of a Postman collection that `openapi2postmanv2` converted: every request carries the variable `token` and
 * must be answered with a status of success that the contract declares. Requests whose answer never ends are left out.
 *
 *     node prepare-collection.mjs collection.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [file = 'collection.json'] = process.argv.slice(2);
const collection = JSON.parse(readFileSync(file, 'utf8'));
collection.auth = { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] };
collection.item = prepare(collection.item);
writeFileSync(file, JSON.stringify(collection, undefined, 2));

/** Prepares the requests of a folder and of those within it. */
function prepare(items) {
  return items
    .filter((item) => !neverEnds(item))
    .map((item) => (item.item ? prepareFolder(item) : prepareRequest(item)));
}

function prepareFolder(folder) {
  return { ...folder, item: prepare(folder.item) };
}

/** Without credentials of its own a request has those of the collection. */
function prepareRequest({ request: { auth: _auth, ...request }, ...item }) {
  const expected = item.response.map(({ code }) => code).filter((code) => code >= 200 && code < 300);
  const test = [
    `pm.test('is answered ${expected.join(' or ')}', () => {`,
    `  pm.expect(pm.response.code).to.be.oneOf(${JSON.stringify(expected)});`,
    '});',
  ];
  return { ...item, request, event: [{ listen: 'test', script: { type: 'text/javascript', exec: test } }] };
}

function neverEnds({ request }) {
  return request?.header.some(({ key, value }) => key === 'Accept' && value === 'text/event-stream') ?? false;
}
