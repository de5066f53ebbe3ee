// What players tell of how well they play, from the channel's page and from another site, as the owner reads it.
import assert from 'node:assert/strict';
import { eventually, scenario, seesStation, until } from './harness.mjs';
import { playerIs } from './lib/ui.mjs';

const reports = (wire) => wire.asked(/^POST \/api\/v1\/views\/[^/]+\/report$/);

for (const [name, launch] of Object.entries({ Chromium: 'chromium', Firefox: 'firefox' })) {
  scenario(`${name}: one view, over a reconnect, with what its player measured and the page that shows it`, async (world) => {
    const weir = await world.weir();
    const owner = await weir.setUp();
    const { streamKey } = await (await weir.api('POST', '/api/v1/channels/ada/stream-key', {}, owner.cookie)).json();
    const publish = async (station) => {
      const camera = await world.chromium({ station });
      const page = await world.client(camera);
      await page.evaluate((target) => client.publish(target), { url: weir.whip('ada'), key: streamKey, codec: 'VP8' });
      await eventually(async () => (await weir.state('ada')).state === 'live', { what: 'ada is live' });
      return camera;
    };
    await publish(4);
    const wire = await world.wire(weir);
    const site = await world.site({ weir: wire.origin, channel: 'ada' });
    const browser = await world[launch]();
    const page = await world.page(browser, `${site.origin}/iframe.html`);
    const frame = await eventually(async () => (await page.$('#player'))?.contentFrame(), { what: 'the frame' });
    await playerIs(frame, 'live');
    await seesStation(frame, 4);
    await eventually(() => reports(wire).length > 0, { what: 'the first report' });
    const [first] = reports(wire);

    // The session goes; the player comes back and says which view it was.
    const { streamId } = await weir.state('ada');
    await frame.evaluate(() => {
      const peer = weirProbe.peers.at(-1);
      peer.close();
      peer.dispatchEvent(new Event('connectionstatechange'));
    });
    await eventually(() => wire.asked(/^POST \/whep\/ada\?view=/).length > 0, { what: 'a return to the view' });
    await seesStation(frame, 4);

    // Leaving tells the rest.
    const before = reports(wire).length;
    await page.goto('about:blank');
    await eventually(() => reports(wire).length > before, { what: 'a last report' });
    assert.ok(reports(wire).every((request) => request === first), 'all of the same view');
    assert.deepEqual(wire.cookies, []);

    const seen = await eventually(async () => {
      const answer = await weir.api('GET', `/api/v1/broadcasts/${streamId}/analytics`, undefined, owner.cookie);
      const analytics = await answer.json();
      return analytics.concurrentViewers === 0 && analytics.quality?.codecs.length > 0 && analytics;
    }, { what: 'the figures' }).catch(async (error) => {
      const answer = await weir.api('GET', `/api/v1/broadcasts/${streamId}/analytics`, undefined, owner.cookie);
      throw new Error(`${error.message}: ${await answer.text()} after ${wire.requests.slice(-12).join(', ')}`);
    });
    assert.equal(seen.totalViews, 1);
    assert.equal(seen.quality.reports, 1);
    assert.deepEqual(seen.quality.codecs, [{ name: 'VP8', views: 1 }]);
    assert.deepEqual(seen.quality.sizes, [{ name: '720p', views: 1 }]);
    assert.equal(seen.quality.joinTime.samples, 1);
    assert.ok(seen.quality.joinTime.p50 > 0 && seen.quality.joinTime.p50 < 20_000, `${seen.quality.joinTime.p50}`);
    assert.deepEqual(seen.embeds, [{ name: site.origin, views: 1 }]);
    assert.deepEqual(seen.browsers, [{ name: name === 'Chromium' ? 'Chrome' : name, views: 1 }]);

    // A link from another site is a referrer, and no embed.
    const visitor = await world.page(browser, `${site.origin}/`);
    await visitor.evaluate((address) => { location.href = address; }, `${wire.origin}/ada`);
    await until(visitor, () => document.querySelector('[data-testid="player"]')?.dataset.state === 'live', { what: 'live' });
    await eventually(async () => {
      const answer = await weir.api('GET', `/api/v1/broadcasts/${streamId}/analytics`, undefined, owner.cookie);
      const { referrers, embeds } = await answer.json();
      return embeds.length === 1 && referrers.some((share) => share.name === site.origin);
    }, { what: 'the referrer', timeout: 15_000 });
  });
}
