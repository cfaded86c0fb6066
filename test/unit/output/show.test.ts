import { expect } from 'chai';
import {
  renderShow,
  toShowDocument,
  type ShownPort,
  type ShownSwitch,
  type ShownVisibility,
} from '../../../src/output/show.ts';

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

const PAIRS: ShownVisibility = {
  mode: 'pairs',
  reason: 'topology "lab" wants it (visibility: pairs)',
  foreignFlows: 0,
  missingRules: 0,
  error: undefined,
};

function shown(...ports: ShownPort[]): ShownSwitch {
  return shownAs({}, ...ports);
}

function shownAs(visibility: Partial<ShownVisibility>, ...ports: ShownPort[]): ShownSwitch {
  const bridge = {
    name: 'br0',
    datapath: 'netdev',
    datapathId: '0000000000000001',
    owner: 'lab',
    error: undefined,
    visibility: { ...PAIRS, ...visibility },
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
      'br0 netdev (lab)  pairs\n' +
        '├─ web1-0  web1:0  web  access 10  52:54:00:10:00:01  up       sent ≤100Mbit/s, received ≤1.50Gbit/s\n' +
        '└─ eno1    -       -    trunk all  -                  unknown not ours\n',
    );
  });

  it('says what can be counted on a bridge, and why not more', () => {
    const headOf = (visibility: Partial<ShownVisibility>): string =>
      renderShow(shownAs(visibility, port({})), { colour: false }).split('\n')[0] ?? '';
    expect(headOf({ mode: 'foreign', reason: 'no topology manages it' })).to.equal(
      'br0 netdev (lab)  foreign: no topology manages it',
    );
    expect(headOf({ foreignFlows: 3, missingRules: 31 })).to.equal(
      'br0 netdev (lab)  pairs: 3 flows of others come first, 31 rules are missing: run vsb apply',
    );
    expect(headOf({ foreignFlows: undefined, missingRules: undefined, error: '[X] why' })).to.equal(
      'br0 netdev (lab)  pairs  error: [X] why',
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
        bridges: bridges.map((bridge) => ({
          ...bridge,
          owner: evil,
          error: evil,
          datapath: evil,
          visibility: { ...PAIRS, mode: 'foreign', reason: evil, error: evil },
        })),
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
