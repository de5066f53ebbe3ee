// Chromium over CDP and Firefox over WebDriver BiDi, both with a fake camera and loopback media.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { track } from './processes.mjs';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

const CHROMIUM_FLAGS = [
  '--use-fake-ui-for-media-stream',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,Translate',
];

/**
 * A Chromium of its own. `camera` is a clip (see clip.mjs); without one the browser's own test picture is sent.
 * `autoplay: false` keeps the browser's rule that sound needs a gesture.
 */
export async function launchChromium({ profile, camera, autoplay = true, args = [], viewport }) {
  mkdirSync(profile, { recursive: true });
  const browser = await puppeteer.launch({
    browser: 'chrome',
    executablePath: CHROMIUM,
    userDataDir: profile,
    headless: true,
    // Muted, Chromium would decode no sound at all.
    ignoreDefaultArgs: ['--mute-audio'],
    // Whatever it puts there goes with the profile.
    env: { ...process.env, TMPDIR: profile },
    defaultViewport: viewport ?? { width: 1280, height: 800 },
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      ...CHROMIUM_FLAGS,
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      camera ? '--use-fake-device-for-media-stream' : '--use-fake-device-for-media-stream=fps=30',
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      `--autoplay-policy=${autoplay ? 'no-user-gesture-required' : 'document-user-activation-required'}`,
      ...args,
    ],
  });
  track(browser.process());
  return browser;
}

const FIREFOX_PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.gmp-manager.updateEnabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.auto': false,
  'app.normandy.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** A Firefox of its own. */
export async function launchFirefox({ profile, viewport }) {
  mkdirSync(profile, { recursive: true });
  const preferences = Object.entries(FIREFOX_PREFERENCES)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  writeFileSync(join(profile, 'user.js'), `${preferences.join('\n')}\n`);
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    userDataDir: profile,
    headless: true,
    // Whatever it puts there goes with the profile.
    env: { ...process.env, TMPDIR: profile },
    defaultViewport: viewport ?? { width: 1280, height: 800 },
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
    args: [],
  });
  track(browser.process());
  return browser;
}
