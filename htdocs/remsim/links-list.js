/** The links in the order of their priority, how new flows are shared, and what to do where there is nothing to show. */

import { el, setText } from './dom.js';
import { epoch, moment } from './format.js';
import { EmptyLinks } from './links-empty.js';
import { RingsData } from './links-data.js';
import { RingsPanel } from './links-rings.js';
import { LinkRow } from './links-row.js';
import { linkName } from './links-words.js';
import { Reorder } from './reorder.js';

const SAVE_MS = 700;
const MOST = 8;

export class LinksTab {
	constructor(ctx) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _rows: new Map() });
		this.rings = new RingsData(options, ctx.store, () => this.panel.update(this.rings.rings));
		this.panel = new RingsPanel(ctx);
		this.empty = new EmptyLinks(ctx);
		this.list = el('ol.remsim-linklist', { 'aria-label': t('Links in the order of their priority') });
		this.moved = el('p.remsim-said', { role: 'status' });
		this.add = options.readonly ? null : el('a.remsim-button', { href: ctx.address('form') }, t('Add a link'));
		this.full = el('span.remsim-muted', { hidden: true }, t('Eight links are set up; there cannot be more.'));
		this.help = el('p.remsim-help', {}, options.readonly ? t('The order is that of failover: the first that works is tried first.')
			: t('The order is that of failover. Drag a link by its grip, or move it with the arrow keys.'));
		this.last = el('p.remsim-help', { hidden: true });
		this.here = el('div.remsim-stack', { hidden: true }, el('section.remsim-panel', { 'aria-label': t('Links') }, el('h2.remsim-said', {}, t('Links in the order of their priority')), this.list, el('div.remsim-links-foot', {}, this.add, this.full, this.help), this.last, this.moved), this.panel.root);
		this.root = el('div.remsim-stack', {}, this.empty.root, this.here);
		if (!options.readonly)
			this._order = new Reorder(this.list, (names, name) => this._moved(names, name));
	}

	destroy() {
		clearTimeout(this._timer);
		this.rings.destroy();
	}

	show() {
		this.rings.load();
	}

	happened() {
		this.rings.soon();
	}

	heard(reading) {
		for (const row of this._rows.values())
			row.heard(reading);
	}

	tick() {
		this.rings.tick();
		for (const row of this._rows.values())
			row.tick();
	}

	update() {
		const { data, t, store } = this._ctx, { view } = data, links = data.links;
		this.empty.update(view);
		this.panel.update(this.rings.rings);
		this.here.hidden = !links.length;
		if (this._order?.isActive || this._wanted)
			return this._patch(links); // an order that is being made stays
		const kept = new Map();
		links.forEach((link, at) => {
			const row = this._rows.get(link.name) || new LinkRow(this._ctx, link);
			kept.set(link.name, row);
			row.update(link, at + 1);
			if (this.list.children[at] !== row.root)
				this.list.insertBefore(row.root, this.list.children[at] || null);
		});
		for (const [name, row] of this._rows) {
			if (!kept.has(name))
				row.root.remove();
		}
		this._rows = kept;
		if (this.add)
			this.add.hidden = links.length >= MOST;
		this.full.hidden = links.length < MOST || !this.add;
		const { last_failover: last, failovers } = view;
		this.last.hidden = !failovers;
		if (last)
			setText(this.last, t('Failovers since the start: %s. The last: %s', failovers, [last.at ? moment(epoch(last.at), store.now()) : '', last.message || ''].filter(Boolean).join(' ')));
		return null;
	}

	_patch(links) {
		const names = this._order.names;
		for (const link of links)
			this._rows.get(link.name)?.update(link, names.indexOf(link.name) + 1);
	}

	/** Another order: told at once, written a moment later, when no further key follows. */
	_moved(names, name) {
		const { t, data } = this._ctx;
		this._wanted = names;
		setText(this.moved, t('%s is now %s of %s.', linkName(data.link(name) || { name }), names.indexOf(name) + 1, names.length));
		this._patch(data.links);
		clearTimeout(this._timer);
		this._timer = setTimeout(() => this._write(names), SAVE_MS);
	}

	async _write(names) {
		const { t, request, data, said, failed } = this._ctx;
		try {
			await request('links/order', { method: 'PUT', body: { names } });
			said(t('The order is saved.'));
		} catch (error) {
			failed(error);
		}
		if (this._wanted !== names)
			return; // it was moved on meanwhile
		await data.load();
		this._wanted = null;
		this.update();
	}
}
