import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';

/*
 * Sends or fetches one long body and writes how many bytes arrived.
 *
 * Arguments: `up` or `down`, the address, the file of the tokens, the bytes.
 */

const [direction, url = '', tokensFile = '', size = '0'] = process.argv.slice(2);
const [token = ''] = readFileSync(tokensFile, 'utf8').split('\n');
const part = Buffer.alloc(65_536, 'x');

const req = request(url, {
  method: direction === 'up' ? 'POST' : 'GET',
  headers: {
    authorization: `Bearer ${token}`,
    ...(direction === 'up' ? { 'content-type': 'application/octet-stream', 'content-length': size } : {}),
  },
});
const [[res]] = (await Promise.all([
  once(req, 'response'),
  direction === 'up' ? pipeline(Readable.from(repeat(Number(size))), req) : req.end(),
])) as [[IncomingMessage], unknown];
const arrived = direction === 'up' ? await readReceipt(res) : await countBytes(res);
process.stdout.write(JSON.stringify({ status: res.statusCode, arrived }));

function* repeat(total: number): Generator<Buffer> {
  for (let left = total; left > 0; left -= part.length) {
    yield part.subarray(0, Math.min(left, part.length));
  }
}

async function readReceipt(answer: IncomingMessage): Promise<number> {
  return (JSON.parse(await text(answer)) as { size: number }).size;
}

async function countBytes(answer: IncomingMessage): Promise<number> {
  let count = 0;
  for await (const chunk of answer) {
    count += (chunk as Buffer).length;
  }
  return count;
}
