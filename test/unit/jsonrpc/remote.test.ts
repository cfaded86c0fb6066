import { expect } from 'chai';
import { VsbError } from '../../../src/errors.ts';
import { parseRemote } from '../../../src/jsonrpc/remote.ts';

describe('remote', () => {
  it('reads sockets, names and addresses', () => {
    expect(parseRemote('unix:/run/a b/db.sock')).to.include({ method: 'unix', path: '/run/a b/db.sock' });
    expect(parseRemote('tcp:127.0.0.1:6641')).to.include({ method: 'tcp', host: '127.0.0.1', port: 6641 });
    expect(parseRemote('tcp:[::1]:6641')).to.include({ host: '::1', port: 6641 });
    expect(parseRemote('tcp:host.example')).to.include({ host: 'host.example', port: 6640 });
    expect(parseRemote('tcp:[fe80::1%eth0]')).to.include({ host: 'fe80::1%eth0', port: 6640 });
  });

  it('refuses other methods of OVSDB as not supported yet', () => {
    for (const text of ['ssl:127.0.0.1:6640', 'ptcp:6640', 'punix:/x', 'pssl:1', 'db:a,b,c', 'fd:3'])
      expect(() => parseRemote(text), text)
        .to.throw(VsbError, 'not supported yet')
        .with.property('code', 'REMOTE_UNSUPPORTED');
  });

  it('refuses all else, saying why', () => {
    for (const text of [
      '',
      ':',
      'unix:',
      '/run/db.sock',
      'http://x',
      'tcp:',
      'tcp:::1:6640',
      'tcp:[x]:1',
      'tcp:h:0',
      'tcp:h:65536',
      'tcp:h:x',
      'tcp:a b:1',
    ])
      expect(() => parseRemote(text), text)
        .to.throw(VsbError)
        .with.property('code', 'REMOTE_INVALID');
  });
});
