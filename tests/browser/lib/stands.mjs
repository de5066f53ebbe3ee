// How long a picture stands still while something happens.

/** Begins to watch the video of a page; what it answers ends that, and gives the longest time between two pictures, in ms. */
export async function stands(page) {
  await page.evaluate(() => {
    const video = document.getElementById('video');
    const watch = { longest: 0, last: performance.now() };
    globalThis.standing = watch;
    const seen = () => {
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - watch.last);
      watch.last = now;
      if (globalThis.standing === watch) video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
  });
  return () => page.evaluate(() => {
    const { longest, last } = globalThis.standing;
    globalThis.standing = null;
    return Math.max(longest, performance.now() - last);
  });
}
