/** Notes of people on the time line: listed, written, changed, removed; charts mark them. */

import { ask } from './ask.js';
import { el, fill } from './dom.js';
import { epoch, inputTime, moment, timeOf } from './format.js';
import { fetchAnnotations } from './series.js';

const LONGEST = 500;

export class Annotations {
	/** `options` as for a page; `changed()` when the list is another one; `show(from, to)` moves the charts. */
	constructor(store, options, { changed, show }) {
		this._store = store;
		this._options = options;
		this._changed = changed;
		this._show = show;
		this.notes = [];
		const { t } = options;
		this.rows = el('ol.remsim-notes');
		this.none = el('p.remsim-absent', {}, options.readonly ? t('Nobody has written a note in this period.') : t('Nobody has written a note in this period. Press a chart where something happened, then “Add a note”.'));
		this.root = el('section.remsim-chart', { 'aria-label': t('Notes') }, el('header', {}, el('h3', {}, t('Notes')), this._addButton()), this.none, this.rows);
	}

	_addButton() {
		const { t, readonly } = this._options;
		return readonly ? null : el('button', { type: 'button', click: () => this.write(null) }, t('Add a note'));
	}

	/** Ask for those of a period. */
	async load(asking, wanted) {
		const found = await asking.run(request => fetchAnnotations(request, wanted));
		if (found === null)
			return;
		this._period = wanted;
		this._asking = asking;
		if (found.error)
			fill(this.rows, el('li.remsim-problem', {}, found.error));
		else
			this._take(found);
	}

	_take(notes) {
		const { t } = this._options, now = this._store.now();
		this.notes = [...notes].sort((a, b) => b.at - a.at);
		this.none.hidden = notes.length > 0;
		fill(this.rows, this.notes.map(note => el('li', {},
			el('button.remsim-note', { type: 'button', click: () => this.open(note) },
				el('time', {}, this._span(note, now)), el('span.remsim-note-text', {}, note.text),
				el('span.remsim-note-by', {}, note.modem ? t('%s, on %s', note.author, this._nameOf(note.modem)) : note.author)))));
		this._changed(this.notes.map(note => ({ t: note.at, to: note.to, text: note.text, note })));
	}

	_span(note, now) {
		return note.to ? `${moment(note.at, now, false)} – ${moment(note.to, now, false)}` : moment(note.at, now, false);
	}

	_nameOf(id) {
		return this._store.modems.get(id)?.name || id;
	}

	/** Show a note with what can be done to it. */
	open(note) {
		const { t, readonly } = this._options, now = this._store.now();
		const dialog = this._dialog(t('Note'),
			el('p.remsim-note-whole', {}, note.text),
			el('p.remsim-note-by', {}, t('%s, written by %s on %s', this._span(note, now), note.author, moment(epoch(note.created_at) ?? note.at, now))),
			el('div.remsim-submit', {},
				readonly ? null : el('button.remsim-primary', { type: 'button', click: () => { dialog.end(); this.write(note); } }, t('Change')),
				readonly ? null : el('button', { type: 'button', click: () => { dialog.end(); this._remove(note); } }, t('Delete')),
				el('button', { type: 'button', click: () => { dialog.end(); this._show(note.at - 900, Math.min((note.to || note.at) + 900, now)); } }, t('Show the charts around it')),
				el('button', { type: 'button', click: () => dialog.end() }, t('Close'))));
	}

	/** Write a new note at a time (now when null), or change one. */
	write(note, at = null) {
		const { t } = this._options, start = note ? note.at : at ?? this._store.now();
		const text = el('input', { type: 'text', maxlength: LONGEST, required: true, autocomplete: 'off' });
		const from = el('input', { type: 'datetime-local', step: 1, required: true, value: inputTime(start) });
		const to = el('input', { type: 'datetime-local', step: 1, value: note && note.to ? inputTime(note.to) : '' });
		const modem = el('select', {}, el('option', { value: '' }, t('all')), this._store.list().map(one => el('option', { value: one.id, selected: note ? one.id === note.modem : false }, one.name)));
		const problem = el('p.remsim-problem', { role: 'alert' });
		text.value = note ? note.text : '';
		const form = el('form.remsim-note-form', { submit: event => { event.preventDefault(); save(); } },
			el('label', {}, t('Text'), text), el('label', {}, t('Time'), from), el('label', {}, t('Until (if it lasted)'), to), el('label', {}, t('Modem'), modem), problem,
			el('div.remsim-submit', {}, el('button.remsim-primary', { type: 'submit' }, t('Save')), el('button', { type: 'button', click: () => dialog.end() }, t('Cancel'))));
		const dialog = this._dialog(note ? t('Change the note') : t('Add a note'), form);
		text.focus();
		const save = async () => {
			const iso = input => input.value ? new Date(timeOf(input.value) * 1000).toISOString() : null;
			const body = { text: text.value.trim(), at: from.value === inputTime(start) ? new Date(start * 1000).toISOString() : iso(from), to: iso(to), modem: modem.value || null };
			try {
				const saved = await this._options.request(note ? `annotations/${note.id}` : 'annotations', { method: note ? 'PATCH' : 'POST', body });
				dialog.end();
				await this._again(epoch(saved.at));
			} catch (error) {
				problem.textContent = error.message;
			}
		};
	}

	async _remove(note) {
		const { t } = this._options;
		if (!await ask(this.root, { title: t('Delete this note?'), texts: [note.text], yes: t('Delete'), t }))
			return;
		try {
			await this._options.request(`annotations/${note.id}`, { method: 'DELETE' });
		} catch (error) {
			if (error.status !== 404) { // somebody else was quicker
				fill(this.rows, el('li.remsim-problem', {}, error.message));
				return;
			}
		}
		await this._again();
	}

	/** The list anew; what was just written is in it, whether the period has its time or not. */
	_again(at = this._period.from) {
		return this.load(this._asking, { ...this._period, from: Math.min(this._period.from, Math.floor(at)), to: Math.max(this._period.to, Math.ceil(at)) });
	}

	/** A dialog over the page that gives the focus back at its end. */
	_dialog(title, ...content) {
		const before = document.activeElement;
		const dialog = el('dialog.remsim-ask', { 'aria-label': title, close: () => { dialog.remove(); if (before?.isConnected) before.focus({ preventScroll: true }); } },
			el('h3', {}, title), content);
		dialog.end = () => dialog.close();
		this.root.appendChild(dialog);
		dialog.showModal();
		return dialog;
	}
}
