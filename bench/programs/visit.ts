import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';

/*
 * Sends one GET for each user, so many at a time, and writes how many answers were 200.
 *
 * Arguments: the address, the file of the tokens, the first one, how many, how many at a time, how often each.
 */

const [url = '', tokensFile = '', from, count, width, times = '1'] = process.argv.slice(2);
const tokens = readFileSync(tokensFile, 'utf8')
  .split('\n')
  .slice(Number(from), Number(from) + Number(count));
const visits = tokens.length * Number(times);
const agent = new Agent({ keepAlive: true, maxSockets: Number(width) });
const failures = new Map<string, number>();
let next = 0;

async function visitInTurn(): Promise<void> {
  while (next < visits) {
    const token = tokens[next++ % tokens.length] ?? '';
    const outcome = await visit(token);
    if (outcome !== '200') {
      failures.set(outcome, (failures.get(outcome) ?? 0) + 1);
    }
  }
}

function visit(token: string): Promise<string> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const req = request(url, { agent, headers }, (res) => {
      res.on('end', () => resolve(String(res.statusCode))).on('error', (error) => resolve(error.message));
      res.resume();
    });
    req.on('error', (error) => resolve(error.message));
    req.end();
  });
}

await Promise.all(Array.from({ length: Number(width) }, visitInTurn));
agent.destroy();
process.stdout.write(JSON.stringify(Object.fromEntries(failures)));
