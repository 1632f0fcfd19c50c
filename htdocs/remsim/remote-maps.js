/** Slot maps: which bank slot each client gets, whose wish it is, what stands in its way; made, changed and taken back. */

import { ask } from './ask.js';
import { BankBoard } from './bank-board.js';
import { el, fill, setText } from './dom.js';
import { mapPath } from './remote-data.js';
import { MapCsv } from './remote-csv.js';
import { takeCard, tried } from './remote-give.js';
import { MapForm } from './remote-map-form.js';
import { MAP_WORDS, bankSlotName, clientLook, clientName } from './remote-words.js';
import { LiveTable } from './table.js';

const MANY = 20;
const clientSlot = map => `${map.client_id}:${map.client_slot}`;

export class MapsTab {
	/** `ctx` as for ClientCard, failed(text). */
	constructor(ctx) {
		const { t, options } = ctx, { readonly } = options;
		this._ctx = ctx;
		this.form = new MapForm(ctx, () => this._closed());
		this.add = readonly ? null : el('button.remsim-primary', { type: 'button', click: () => this.form.open() }, t('New slot map'));
		this.restore = readonly ? null : el('button', { type: 'button', hidden: true, click: () => this._restoreAll() }, t('Restore all that are held'));
		this.csv = new MapCsv(ctx);
		this.none = el('p.remsim-absent', {}, t('There is no slot map yet.'));
		this.find = el('input', { type: 'search', hidden: true, 'aria-label': t('Only maps with this text'), placeholder: t('Only maps with this text'), input: () => this._rowsShown() });
		this.table = this._table();
		this.clients = el('ul.remsim-drops');
		this.board = new BankBoard(ctx);
		this.root = el('div.remsim-stack', {}, this.form.root,
			el('section.remsim-panel', { 'aria-label': t('Slot maps') }, el('header', {}, el('h2', {}, t('Slot maps')), el('span.remsim-tools', {}, this.restore, this.add)),
				el('p.remsim-help', {}, t('What is wanted here is kept at the server: it is made again when the server has lost it. What others made is shown and left alone.')), this.find, this.none, this.table.root),
			el('section.remsim-panel', { 'aria-label': t('Cards and clients') }, el('h2', {}, t('Cards and clients')),
				el('p.remsim-help', {}, readonly ? t('Which slot of which bank each client has.') : t('Drag a card to a client, or press “Give to …” on it.')),
				el('div.remsim-cards-clients', {}, el('div', {}, el('h3', {}, t('Clients')), this.clients), el('div', {}, el('h3', {}, t('Slots of the banks')), this.board.root))),
			this.csv.root);
	}

	_closed() {
		this.add?.focus({ preventScroll: true });
	}

	/** A row is made anew when other things can be done to it. */
	_table() {
		const table = new LiveTable(this._columns(), map => JSON.stringify([map.server, map.bank_id, map.bank_slot, map.foreign, map.removing, !!map.held, !!map.conflict, !map.state]), this._ctx.t('Slot maps'));
		table.root.classList.add('remsim-maptable');
		return table;
	}

	_columns() {
		const { t, options, data } = this._ctx;
		const columns = [
			data.servers.length > 1 ? { label: t('Server'), text: map => map.server || '' } : null,
			{ label: t('Card'), text: map => bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), kind: 'mapcard' },
			{ label: t('Client'), text: map => this._who(map) },
			{ label: t('At the server'), text: map => this._state(map), look: map => map.conflict ? 'remsim-problem' : null, kind: 'wrap' },
			{ label: t('Whose wish'), text: map => this._wish(map), kind: 'wrap' },
			options.readonly ? null : { label: t('What can be done'), isPlain: true, node: map => this._tools(map) }
		];
		return columns.filter(Boolean);
	}

	_who(map) {
		const { t, data, store } = this._ctx, client = data.clientAt(clientSlot(map));
		return client && (client.name || client.modem) ? `${clientName(client, store, t)} (${clientSlot(map)})` : t('client %s', clientSlot(map));
	}

	_state(map) {
		const { t } = this._ctx;
		if (map.conflict)
			return `✖ ${map.conflict}`;
		if (map.held)
			return t('held: %s', map.held);
		if (map.removing)
			return t('being taken away');
		const word = map.state ? t(MAP_WORDS[map.state] || map.state) : t('not there yet');
		return [map.stale ? t('when last seen: %s', word) : word, map.waits].filter(Boolean).join(' – ');
	}

	_wish(map) {
		const { t } = this._ctx;
		return [map.foreign ? t('made elsewhere') : map.removing ? t('not wanted any more') : t('kept by this router'), map.note].filter(Boolean).join(' · ');
	}

	_tools(map) {
		const { t } = this._ctx, card = bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), of = () => this._now(map);
		const button = (word, work, look = '') => el(`button.remsim-small${look}`, { type: 'button', 'aria-label': `${word}: ${card}`, click: work }, word);
		const post = (more, done) => () => {
			const [path, query] = mapPath(map, more);
			return tried(this._ctx, path, { method: 'POST', query }, done);
		};
		return el('span.remsim-tools', {},
			map.held || (map.conflict && !map.state && !map.foreign) ? button(t('Restore now'), () => this._restore(of())) : null,
			map.foreign ? button(t('Adopt'), post('/adopt', t('%s is kept by this router now.', card)))
				: map.removing ? null : [button(t('Change'), () => this.form.open(of())), button(t('Delete'), () => takeCard(this._ctx, of()), '.remsim-danger')]);
	}

	async _restore(map) {
		const { t, root, data, store } = this._ctx, client = data.clientAt(clientSlot(map)), name = client ? clientName(client, store, t) : t('client %s', clientSlot(map));
		const card = bankSlotName(`${map.bank_id}:${map.bank_slot}`, t);
		if (!await ask(root, { title: t('Restore the map of %s now?', card), texts: [t('%s is reset once: its connection is gone for up to two minutes.', name)], yes: t('Restore now'), t }))
			return;
		const [path, query] = mapPath(map, '/restore');
		await tried(this._ctx, path, { method: 'POST', query }, t('%s is being restored.', card));
	}

	async _restoreAll() {
		const { t, root, data } = this._ctx, held = data.maps.filter(map => map.held).length;
		if (await ask(root, { title: t('Restore %s held slot maps now?', held), texts: [t('Each of their modems is reset once: its connection is gone for up to two minutes.')], yes: t('Restore now'), t }))
			await tried(this._ctx, 'remote-sim/restore', { method: 'POST' }, t('All held slot maps are being restored.'));
	}

	/** What is known now of a map that was drawn. */
	_now(map) {
		return this._ctx.data.maps.find(one => one.bank_id === map.bank_id && one.bank_slot === map.bank_slot && one.server === map.server) || map;
	}

	update() {
		const { t, data, store } = this._ctx, { maps } = data, several = data.servers.length > 1;
		if (several !== this._several) {
			const table = this._table();
			this.table.root.replaceWith(table.root);
			this.table = table;
			this._several = several;
		}
		this.find.hidden = maps.length <= MANY && !this.find.value;
		this._rowsShown();
		if (this.restore)
			this.restore.hidden = maps.filter(map => map.held).length < 2;
		this.csv.update();
		const rows = data.clients.map(client => [client.client_slot, clientName(client, store, t), clientLook(client), data.mapOf(client.client_slot)]);
		const told = JSON.stringify(rows);
		if (told !== this._rows && !this.root.contains(document.querySelector('.remsim-drag-ghost')))
			fill(this.clients, rows.map(([slot, name, look, map]) => el(`li.remsim-drop.remsim-drop-${look}`, { 'data-drop': slot }, el('b', {}, name), el('span.remsim-muted', {}, t('client %s', slot)),
				el('span', {}, map ? bankSlotName(`${map.bank_id}:${map.bank_slot}`, t) : t('no card')))), rows.length ? null : el('li.remsim-absent', {}, t('No client is set up or seen.')));
		this._rows = told;
		this.board.update();
		this.form.update();
	}

	/** The rows, of many those with the text that is asked for. */
	_rowsShown() {
		const { t, data } = this._ctx, wanted = this.find.value.trim().toLowerCase();
		const texts = map => [map.server, bankSlotName(`${map.bank_id}:${map.bank_slot}`, t), `${map.bank_id}:${map.bank_slot}`, this._who(map), this._state(map), this._wish(map)].join(' ').toLowerCase();
		const maps = data.maps.filter(map => !wanted || texts(map).includes(wanted));
		this.none.hidden = maps.length > 0;
		setText(this.none, data.maps.length ? t('Nothing fits.') : t('There is no slot map yet.'));
		this.table.root.hidden = !maps.length;
		this.table.show(maps.sort((a, b) => (a.server || '').localeCompare(b.server || '') || a.bank_id - b.bank_id || a.bank_slot - b.bank_slot));
	}
}

