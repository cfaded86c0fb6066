import { expect } from 'chai';
import { nearestName } from '../../../src/topology/nearest.ts';

describe('topology/nearest', () => {
  it('finds the name that was meant', () => {
    expect(nearestName('brdige', ['bridge', 'vlan', 'cidr'])).to.equal('bridge');
    expect(nearestName('wbe', ['db', 'web'])).to.equal('web');
    expect(nearestName('BR0', ['br1', 'br0'])).to.equal('br0');
    expect(nearestName('recieved', ['sent', 'received'])).to.equal('received');
    expect(nearestName('web01', ['web1', 'web2'])).to.equal('web1');
  });

  it('finds none where all are far', () => {
    expect(nearestName('storage', ['web', 'db'])).to.equal(undefined);
    expect(nearestName('x', [])).to.equal(undefined);
    expect(nearestName('lan', ['web'])).to.equal(undefined);
  });
});
