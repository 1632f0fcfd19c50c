/** How new flows are shared: each ring with its sixteen places, whose they are, and why. */

import { el, fill, setText, svg } from './dom.js';
import { count, number } from './format.js';
import { PERSISTENCES, choiceText, linkName, ringName, shares } from './links-words.js';

const SLOT = 20;

class RingView {
	constructor(ctx) {
		const { t } = ctx;
		this._ctx = ctx;
		this.title = el('h3');
		this.how = el('span.remsim-muted');
		this.bar = el('div.remsim-ringbar');
		this.key = el('ul.remsim-ringkey');
		this.body = el('tbody');
		this.why = el('details.remsim-ringwhy', {}, el('summary', {}, t('Why these shares?')),
			el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': t('Why these shares?') }, el('table.remsim-table', {},
				el('thead', {}, el('tr', {}, [t('Link'), t('Places'), t('Score'), t('Why')].map(text => el('th', { scope: 'col' }, text)))), this.body)));
		this.root = el('section.remsim-ring', {}, el('header', {}, this.title, this.how), this.bar, this.key, this.why);
	}

	update(ring) {
		const { t, data } = this._ctx, told = JSON.stringify([ring.slots, ring.weights, ring.choice, data.links.map(linkName)]);
		if (told === this._told)
			return;
		this._told = told;
		const name = ringName(ring, t), named = link => linkName(data.link(link) || { name: link }), series = link => `remsim-series-${data.link(link)?.index || 8}`;
		this.root.setAttribute('aria-label', name);
		setText(this.title, name);
		setText(this.how, [choiceText(ring.choice, t), ring.persistence && ring.persistence !== 'none' ? t(PERSISTENCES[ring.persistence] || ring.persistence) : ''].filter(Boolean).join(' · '));
		const isEmpty = !ring.slots.some(Boolean), isRefusing = isEmpty && ring.slots.length > 0, runs = isEmpty ? [] : shares(ring, data.names);
		const places = runs.flatMap(({ link, slots }) => Array.from({ length: slots }, () => link));
		fill(this.bar, svg('svg', { viewBox: `0 0 ${16 * SLOT} 18`, class: 'remsim-ringslots', preserveAspectRatio: 'none', role: 'img', 'aria-label': isEmpty ? t('no link') : runs.map(({ link, slots }) => t('%s: %s of 16', named(link), slots)).join(', ') },
			Array.from({ length: 16 }, (_, at) => svg('rect', { x: at * SLOT, y: 0, width: SLOT - 2, height: 18, class: places[at] ? `remsim-slot-mine ${series(places[at])}` : 'remsim-slot-other' }))));
		fill(this.key, isEmpty ? el('li.remsim-muted', {}, isRefusing ? t('Its flows are refused.') : ring.policy ? t('None of its links works: the next policy decides.') : t('No link works: flows go the router’s default way.'))
			: runs.map(({ link, slots }) => el('li', {}, el(`span.remsim-linkswatch.${series(link)}`, { 'aria-hidden': 'true' }), named(link), ' ', el('b', {}, `${slots}/16`), ' ', el('span.remsim-muted', {}, `${number(slots * 100 / 16)}\u202f%`))));
		this.why.hidden = !ring.weights?.length;
		fill(this.body, (ring.weights || []).map(one => el('tr', {}, el('th', { scope: 'row' }, named(one.link)), el('td', {}, `${count(one.slots)}`), el('td', {}, one.score === null || one.score === undefined ? '–' : number(one.score, one.score < 10 ? 2 : 0)), el('td.remsim-ringreason', {}, one.why || ''))));
	}
}

export class RingsPanel {
	constructor(ctx) {
		const { t } = ctx;
		Object.assign(this, { _ctx: ctx, _views: new Map() });
		this.defaults = el('div.remsim-rings');
		this.others = el('div.remsim-rings');
		this.count = el('span');
		this.more = el('details.remsim-ringmore', { hidden: true }, el('summary', {}, this.count), this.others);
		this.root = el('section.remsim-panel', { 'aria-label': t('How new flows are shared'), hidden: true }, el('header', {}, el('h2', {}, t('How new flows are shared'))),
			el('p.remsim-help', {}, t('Of sixteen new flows each link gets as many as it has places. Flows that run keep their link.')), this.defaults, this.more);
	}

	update(rings) {
		const { t } = this._ctx, policies = rings.filter(ring => ring.policy), kept = new Map();
		this.root.hidden = !rings.length;
		for (const [place, some] of [[this.defaults, rings.filter(ring => !ring.policy)], [this.others, policies]]) {
			some.forEach((ring, at) => {
				const view = this._views.get(ring.name) || new RingView(this._ctx);
				kept.set(ring.name, view);
				view.update(ring);
				if (place.children[at] !== view.root)
					place.insertBefore(view.root, place.children[at] || null);
			});
		}
		for (const [name, view] of this._views) {
			if (!kept.has(name))
				view.root.remove();
		}
		this._views = kept;
		this.more.hidden = !policies.length;
		setText(this.count, policies.length === 1 ? t('The ring of 1 policy') : t('The rings of %s policies', policies.length));
	}
}
