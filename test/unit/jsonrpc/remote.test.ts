import { expect } from 'chai';
import { VsbError } from '../../../src/errors.ts';
import { isPassive, isTls, parseRemote, parseRemotes } from '../../../src/jsonrpc/remote.ts';

describe('remote', () => {
  it('reads sockets, names and addresses', () => {
    expect(parseRemote('unix:/run/a b/db.sock')).to.include({ method: 'unix', path: '/run/a b/db.sock' });
    expect(parseRemote('tcp:127.0.0.1:6641')).to.include({ method: 'tcp', host: '127.0.0.1', port: 6641 });
    expect(parseRemote('tcp:[::1]:6641')).to.include({ host: '::1', port: 6641 });
    expect(parseRemote('tcp:host.example')).to.include({ host: 'host.example', port: 6640 });
    expect(parseRemote('tcp:[fe80::1%eth0]')).to.include({ host: 'fe80::1%eth0', port: 6640 });
    expect(parseRemote('ssl:db.example:16640')).to.include({
      method: 'ssl',
      host: 'db.example',
      port: 16640,
    });
  });

  it('reads where we are called', () => {
    expect(parseRemote('punix:/run/x.sock')).to.include({ method: 'punix', path: '/run/x.sock' });
    expect(parseRemote('ptcp:')).to.include({ method: 'ptcp', host: '0.0.0.0', port: 6640 });
    expect(parseRemote('ptcp:0')).to.include({ host: '0.0.0.0', port: 0 });
    expect(parseRemote('ptcp:6641:127.0.0.1')).to.include({ host: '127.0.0.1', port: 6641 });
    expect(parseRemote('ptcp::127.0.0.1')).to.include({ host: '127.0.0.1', port: 6640 });
    expect(parseRemote('pssl:6641:[::1]')).to.include({ method: 'pssl', host: '::1', port: 6641 });
    expect(['unix:/x', 'ssl:h', 'pssl:', 'ptcp:', 'punix:/x'].map(parseRemote).map(isPassive)).to.deep.equal([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(['unix:/x', 'ssl:h', 'pssl:', 'ptcp:'].map(parseRemote).map(isTls)).to.deep.equal([
      false,
      true,
      true,
      false,
    ]);
  });

  it('reads several with commas between them, and leaves the commas of a path alone', () => {
    const texts = (list: string) => parseRemotes(list).map(({ text }) => text);
    expect(texts('tcp:a')).to.deep.equal(['tcp:a']);
    expect(texts('tcp:a:1,ssl:[::1]:2, unix:/x,y,\tunix:/z')).to.deep.equal([
      'tcp:a:1',
      'ssl:[::1]:2',
      'unix:/x,y',
      'unix:/z',
    ]);
    expect(() => parseRemotes('tcp:a,'))
      .to.throw(VsbError)
      .with.property('code', 'REMOTE_INVALID');
    expect(() => parseRemotes(''))
      .to.throw(VsbError)
      .with.property('code', 'REMOTE_INVALID');
  });

  it("refuses the methods of ovsdb-server's own configuration", () => {
    for (const text of ['db:a,b,c', 'fd:3'])
      expect(() => parseRemote(text), text)
        .to.throw(VsbError, 'not for clients')
        .with.property('code', 'REMOTE_UNSUPPORTED');
  });

  it('refuses all else, saying why', () => {
    for (const text of [
      '',
      ':',
      'unix:',
      'punix:',
      'unix:a\0b',
      '/run/db.sock',
      'http://x',
      'tcp:',
      'ssl:',
      'tcp:::1:6640',
      'tcp:[x]:1',
      'tcp:h:0',
      'tcp:h:65536',
      'tcp:h:x',
      'tcp:a b:1',
      'ptcp:x',
      'ptcp:65536',
      'ptcp:1:host',
      'pssl:1:[x]',
      'ptcp:1:::1',
    ])
      expect(() => parseRemote(text), text)
        .to.throw(VsbError)
        .with.property('code', 'REMOTE_INVALID');
  });
});
