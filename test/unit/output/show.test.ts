import { expect } from 'chai';
import { renderShow, toShowDocument, type ShownPort, type ShownSwitch } from '../../../src/output/show.ts';

function port(settings: Partial<ShownPort>): ShownPort {
  return {
    name: 'web1-0',
    owner: 'lab',
    vm: 'web1',
    nic: '0',
    network: 'web',
    mac: '52:54:00:10:00:01',
    vlanMode: 'access',
    tag: 10,
    trunks: [],
    ofport: '32768',
    link: 'up',
    sentLimitKbps: undefined,
    receivedLimitBps: undefined,
    error: undefined,
    ...settings,
  };
}

function shown(...ports: ShownPort[]): ShownSwitch {
  const bridge = {
    name: 'br0',
    datapath: 'netdev',
    datapathId: '0000000000000001',
    owner: 'lab',
    error: undefined,
    ports,
  };
  return { remote: 'unix:/run/db.sock', ovsVersion: '3.1.0', bridges: [bridge] };
}

describe('renderShow', () => {
  it('draws bridge, port and NIC in columns, with limits and what is not ours', () => {
    const text = renderShow(
      shown(
        port({ sentLimitKbps: '100000', receivedLimitBps: '1500000000' }),
        port({
          name: 'eno1',
          owner: undefined,
          vm: undefined,
          nic: undefined,
          network: undefined,
          mac: undefined,
          vlanMode: undefined,
          tag: undefined,
          link: undefined,
        }),
      ),
      { colour: false },
    );
    expect(text).to.equal(
      'br0 netdev (lab)\n' +
        '├─ web1-0  web1:0  web  access 10  52:54:00:10:00:01  up       sent ≤100Mbit/s, received ≤1.50Gbit/s\n' +
        '└─ eno1    -       -    trunk all  -                  unknown not ours\n',
    );
  });

  it('lets no escape sequence out of the database reach a terminal', () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\n';
    const { bridges, ...head } = shown(
      port({
        name: evil,
        vm: evil,
        nic: evil,
        network: evil,
        mac: evil,
        link: evil,
        vlanMode: evil,
        error: evil,
      }),
    );
    const text = renderShow(
      {
        ...head,
        bridges: bridges.map((bridge) => ({ ...bridge, owner: evil, error: evil, datapath: evil })),
      },
      { colour: false },
    );
    expect(text.replaceAll('\n', '')).not.to.match(/\p{Cc}/u);
    expect(text.split('\n'), 'two lines and the end of the last').to.have.length(3);
  });
});

describe('toShowDocument', () => {
  it('says its version, and keeps names as they are', () => {
    const document = JSON.parse(JSON.stringify(toShowDocument(shown(port({ vm: '\u001b[2J' }))))) as unknown;
    expect(document).to.have.property('formatVersion', '1.0');
    expect(document).to.have.nested.property('bridges[0].ports[0].vm', '\u001b[2J');
    expect(document).not.to.have.nested.property('bridges[0].ports[0].error');
  });
});
