import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVER_CORE, startPinned } from './child-process.ts';
import { findFreePorts, untilReady } from './ports.ts';
import type { MeasuredServer, ServerSurroundings } from './server.ts';

/**
 * Starts an nginx that asks the gateway about each request and carries the traffic itself: one worker on the core of the
 * gateway, connections kept on both sides, no log.
 *
 * @param service where the gateway is asked
 */
export async function startNginx(
  { routes, folder }: ServerSurroundings,
  service: MeasuredServer,
): Promise<MeasuredServer> {
  const [port = 0] = await findFreePorts(1);
  const file = join(folder, 'nginx.conf');
  await writeFile(file, describeNginx(port, routes, { checkOrigin: service.origin, folder }));
  const name = 'nginx that asks the gateway';
  const process = await startPinned({ name, core: SERVER_CORE, command: 'nginx', args: ['-p', folder, '-c', file] });
  await untilReady(process, `http://127.0.0.1:${port}/ready`);
  return { name, origin: `http://127.0.0.1:${port}`, process, helper: service.process };
}

function describeNginx(
  port: number,
  routes: ServerSurroundings['routes'],
  { checkOrigin, folder }: { readonly checkOrigin: string; readonly folder: string },
): string {
  const locations = routes.map(
    ({ path, origin }) => `
    location = ${path} {
      auth_request /_check;
      auth_request_set $token $upstream_http_authorization;
      proxy_set_header Authorization $token;
      proxy_set_header Connection "";
      proxy_http_version 1.1;
      proxy_buffering ${path === '/events' ? 'off' : 'on'};
      client_max_body_size 2m;
      proxy_request_buffering off;
      proxy_pass http://api_${routes.findIndex((route) => route.origin === origin)};
    }`,
  );
  const upstreams = [...new Set(routes.map(({ origin }) => origin))].map(
    (origin) => `
  upstream api_${routes.findIndex((route) => route.origin === origin)} { server ${hostOf(origin)}; keepalive 128; }`,
  );
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log /dev/null;
events { worker_connections 4000; }
http {
  access_log off;
  keepalive_requests 1000000;
  proxy_buffer_size 16k;
  proxy_buffers 8 16k;
  client_body_temp_path ${folder}/nginx-body;
  proxy_temp_path ${folder}/nginx-proxy;
  fastcgi_temp_path ${folder}/nginx-fastcgi;
  uwsgi_temp_path ${folder}/nginx-uwsgi;
  scgi_temp_path ${folder}/nginx-scgi;
  upstream check { server ${hostOf(checkOrigin)}; keepalive 128; }${upstreams.join('')}
  server {
    listen 127.0.0.1:${port};
    location = /ready { return 200; }
    location = /_check {
      internal;
      proxy_pass http://check/check/nginx;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
    }${locations.join('')}
  }
}
`;
}

function hostOf(origin: string): string {
  return new URL(origin).host;
}
