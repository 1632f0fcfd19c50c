/** What cards were asked, in words: commands, authentications and how they ended. */

import { el, fill } from './dom.js';
import { count, epoch, lasting, moment, withUnit } from './format.js';

/** Whether anything is counted at all: what is not counted is absent, never 0. */
export function isCounted(counts) {
	return Number.isFinite(counts?.tpdu_rx) || Number.isFinite(counts?.tpdu_tx) || !!counts?.authentications;
}

/** The lines of what was counted; elements. */
export function countLines(counts, nowS, t) {
	const { authentications: auth, apdu_seconds: took, counted_since: since } = counts, failures = Object.entries(auth?.failure || {});
	return [
		el('p', {}, t('%s commands to the card, %s answers', count(counts.tpdu_tx), count(counts.tpdu_rx)), since ? [' ', el('span.remsim-muted', { title: moment(epoch(since), nowS) }, t('since %s', lasting(nowS - epoch(since))))] : null),
		took?.count ? el('p', {}, t('An answer takes %s on average.', withUnit(took.sum / took.count * 1000, 'ms'))) : null,
		auth ? el('p', {}, [t('Authentications: %s good', count(auth.success)), auth.resync ? t('%s resynchronised', count(auth.resync)) : '', auth.unknown ? t('%s without a known end', count(auth.unknown)) : ''].filter(Boolean).join(' · ')) : null,
		failures.length ? el('p.remsim-problem', {}, t('Failed: %s', failures.map(([code, times]) => `${code} (${count(times)})`).join(', '))) : null
	];
}

/** What a listener beside a bankd counts: sums of all its slots. */
export class GsmtapPanel {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.box = el('div');
		this.root = el('section.remsim-panel', { 'aria-label': t('Counted at the bank'), hidden: true }, el('h2', {}, t('Counted at the bank')), el('p.remsim-help', {}, t('Sums of all slots of one bankd, as it sends them by GSMTAP.')), this.box);
	}

	update(gsmtap) {
		const { t, store } = this._ctx, told = JSON.stringify(gsmtap);
		this.root.hidden = !gsmtap;
		if (!gsmtap || told === this._told)
			return;
		this._told = told;
		fill(this.box, gsmtap.bound === false ? el('p.remsim-problem', {}, t('Nothing can be heard at %s: another program has the port.', gsmtap.address || '')) : null,
			isCounted(gsmtap) ? countLines(gsmtap, store.now(), t) : el('p.remsim-absent', {}, t('Nothing was heard yet.')));
	}
}
