import { createServer } from 'node:http';

/*
 * A receiver of OTLP that takes whatever it gets and keeps nothing. Argument: the port.
 */

const server = createServer((req, res) => {
  req.resume().on('end', () => res.writeHead(200).end());
});
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');
