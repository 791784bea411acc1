import { createServer } from 'node:http';
import { createRequire } from 'node:module';

// The least that a proxy in Node can do: node:http in front, undici behind, bodies streamed both ways with back pressure.
// undici is the product's own; the one beside this file came with a peer. Its older callbacks take the fewest steps.
const { Pool } = createRequire(new URL('../../../package.json', import.meta.url))('undici');

const NOT_FORWARDED = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'expect', 'upgrade']);

const routes = JSON.parse(process.env.ROUTES);
const pools = new Map(routes.map(({ origin }) => [origin, new Pool(origin)]));
const poolOf = new Map(routes.map(({ path, origin }) => [path, pools.get(origin)]));

const server = createServer((req, res) => {
  const pool = poolOf.get(req.url);
  if (pool === undefined) {
    res.writeHead(req.url === '/health' ? 200 : 404).end();
    return;
  }
  const hasBody = 'content-length' in req.headers || 'transfer-encoding' in req.headers;
  pool.dispatch(
    { path: req.url, method: req.method, headers: selectHeaders(req.rawHeaders), body: hasBody ? req : null },
    forwardAnswer(res),
  );
});
server.keepAliveTimeout = 0;
server.listen(Number(process.env.PORT), '127.0.0.1');

function forwardAnswer(res) {
  return {
    onConnect(abort) {
      res.on('close', () => {
        if (!res.writableFinished) {
          abort();
        }
      });
    },
    onHeaders(status, headers, resume) {
      res.writeHead(status, selectHeaders(headers));
      res.on('drain', resume);
      return true;
    },
    onData(part) {
      return res.write(part);
    },
    onComplete() {
      res.end();
    },
    onError() {
      if (res.headersSent) {
        res.destroy();
      } else {
        res.writeHead(502).end();
      }
    },
  };
}

/** Names and values in turn, of either side: undici has them as buffers. */
function selectHeaders(raw) {
  const selected = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index].toString('latin1');
    if (!NOT_FORWARDED.has(name.toLowerCase())) {
      selected.push(name, raw[index + 1].toString('latin1'));
    }
  }
  return selected;
}
