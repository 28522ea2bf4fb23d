/** Preloaded by a test: at SIGUSR2 the wall clock goes on by the minutes of its URL (`?MINUTES`), which may be negative. */
const minutes = Number(new URL(import.meta.url).search.slice(1));
const { now } = Date;
process.on('SIGUSR2', () => {
  Date.now = () => now() + minutes * 60_000;
});
