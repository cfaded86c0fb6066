/** Where an OVSDB server listens, or where we listen for it, as `ovs-vsctl --db` takes it (ovsdb(7), "Connection Methods"). Pure. */
import { isIP, isIPv6 } from 'node:net';
import { fail, type VsbError } from '../errors.ts';

/** A remote that is connected to. */
export type ActiveRemote =
  | { readonly method: 'unix'; readonly text: string; readonly path: string }
  | { readonly method: 'tcp' | 'ssl'; readonly text: string; readonly host: string; readonly port: number };

/** A remote that is listened at: the server calls us (`ovs-vsctl set-manager`). Port 0: one that is free. */
export type PassiveRemote =
  | { readonly method: 'punix'; readonly text: string; readonly path: string }
  | { readonly method: 'ptcp' | 'pssl'; readonly text: string; readonly host: string; readonly port: number };

export type Remote = ActiveRemote | PassiveRemote;

/** ovsdb(7)'s default, registered with IANA. */
const OVSDB_PORT = 6640;
/** ovsdb(7): every IPv4 address, unless one is given. */
const ANY_HOST = '0.0.0.0';
/** Of ovsdb-server's own configuration, and of no use to a client. */
const SERVER_METHODS = ['db', 'fd'];

/**
 * Reads `unix:PATH`, `tcp:HOST[:PORT]`, `ssl:HOST[:PORT]`, and the passive `punix:PATH`, `ptcp:[PORT][:IP]`,
 * `pssl:[PORT][:IP]`. An IPv6 address stands in brackets; the port left out is 6640.
 * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED
 */
export function parseRemote(text: string): Remote {
  const colon = text.indexOf(':');
  const method = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  switch (method) {
    case 'unix':
    case 'punix':
      if (rest === '') throw invalid(text, 'the path is missing');
      if (rest.includes('\0')) throw invalid(text, 'the path contains a NUL');
      return { method, text, path: rest };
    case 'tcp':
    case 'ssl':
      return { method, text, ...parseHostAndPort(text, method, rest) };
    case 'ptcp':
    case 'pssl':
      return { method, text, ...parsePortAndAddress(text, method, rest) };
    default:
      if (SERVER_METHODS.includes(method)) throw fail('REMOTE_UNSUPPORTED', { remote: text, method });
      throw invalid(text, method === '' ? 'the method is missing' : `"${method}" is no connection method`);
  }
}

/**
 * Reads one remote, or several with commas between them, as `ovs-vsctl --db=tcp:a,tcp:b` does: only a comma that a
 * method follows parts two remotes, so a path may have commas.
 * @throws REMOTE_INVALID, REMOTE_UNSUPPORTED
 */
export function parseRemotes(text: string): Remote[] {
  return text.split(/,[ \t]*(?=[a-z]+:)/).map(parseRemote);
}

/** Whether it is listened at. */
export function isPassive(remote: Remote): remote is PassiveRemote {
  return remote.method === 'punix' || remote.method === 'ptcp' || remote.method === 'pssl';
}

/** Whether files for TLS are needed. */
export function isTls(remote: Remote): boolean {
  return remote.method === 'ssl' || remote.method === 'pssl';
}

/** An address and a port in one text; IPv6 in brackets. */
export function renderHostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

function parseHostAndPort(text: string, method: string, rest: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(rest);
  if (!match) throw invalid(text, `after "${method}:" come a host and a port`);
  const [, bracketed, plain, portText] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) throw invalid(text, `"${bracketed}" is no IPv6 address`);
  const host = bracketed ?? plain ?? '';
  if (host === '') throw invalid(text, 'the host is missing');
  if (/[\s\0,]/.test(host)) throw invalid(text, `"${host}" is no host`);
  const port = portText === undefined ? OVSDB_PORT : Number(portText);
  if (port < 1 || port > 65535) throw invalid(text, `${String(port)} is no port`);
  return { host, port };
}

function parsePortAndAddress(text: string, method: string, rest: string): { host: string; port: number } {
  const match = /^(\d*)(?::(?:\[([^\]]*)\]|([^:[\]]*)))?$/.exec(rest);
  if (!match) throw invalid(text, `after "${method}:" come a port and an address to listen at`);
  const [, portText, bracketed, plain] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) throw invalid(text, `"${bracketed}" is no IPv6 address`);
  if (plain !== undefined && isIP(plain) !== 4) throw invalid(text, `"${plain}" is no IP address`);
  const port = portText === undefined || portText === '' ? OVSDB_PORT : Number(portText);
  if (port > 65535) throw invalid(text, `${String(port)} is no port`);
  return { host: bracketed ?? plain ?? ANY_HOST, port };
}

function invalid(remote: string, why: string): VsbError {
  return fail('REMOTE_INVALID', { remote, why });
}
