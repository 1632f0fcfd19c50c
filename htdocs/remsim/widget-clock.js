/** The router's time, in the zone of this browser or in UTC. */

import { el, setText } from './dom.js';

export function make(board, settings, title) {
	const { t, locale } = board.options, { seconds = false, utc = false } = settings;
	const zone = utc ? 'UTC' : undefined;
	const time = new Intl.DateTimeFormat(locale || undefined, { hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, hourCycle: 'h23', timeZone: zone });
	const date = new Intl.DateTimeFormat(locale || undefined, { weekday: 'long', day: 'numeric', month: 'long', timeZone: zone });
	const clock = el(seconds ? 'b.remsim-clock-time.remsim-clock-long' : 'b.remsim-clock-time'), day = el('span.remsim-clock-day');
	const tick = () => {
		const now = new Date(board.store.now() * 1000);
		setText(clock, time.format(now));
		setText(day, `${date.format(now)}${utc ? ' · UTC' : ''}`);
	};
	return { root: el('section.remsim-chart.remsim-clock', { 'aria-label': title }, clock, day, title === t('Clock') ? null : el('span.remsim-clock-name', {}, title)), state: tick, tick };
}
