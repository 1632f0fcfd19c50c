/** What the charts of a page share: the cursor's time and the period shown. */

const LEAST_S = 10;

export class ChartGroup {
	/**
	 * A page sets what it wants to be told: `onZoom(from, to)` another period is wanted, `onWhole()` the whole one again,
	 * `onEvent(event)` and `onNote(note)` one was pressed, `onPoint(time)` a press where neither is;
	 * without it a press over a mark is one on it.
	 */
	constructor() {
		this.charts = new Set();
		this.cursor = null;
		this._pinned = null;
		this.onZoom = () => {};
		this.onWhole = () => {};
		this.onEvent = () => {};
		this.onNote = () => {};
		this.onPoint = null;
		this._pending = null;
	}

	/** Move the cursor of all charts, null: to where it is pinned; drawn once a frame, however often the pointer tells. */
	setCursor(time) {
		if ((time ?? this._pinned) === this.cursor)
			return;
		this.cursor = time ?? this._pinned;
		this._soon({});
	}

	/** Have the cursor stand at a time while no pointer moves it; null for nowhere. */
	pin(time) {
		this._pinned = time;
		this.setCursor(null);
	}

	/** Show another part of what is drawn already, while fingers move. */
	preview(from, to) {
		this._soon({ preview: [from, to] });
	}

	/** Ask for a period that is not too short to be shown and does not reach into the future. */
	zoom(from, to) {
		const span = Math.max(to - from, LEAST_S), end = Math.min(to, Date.now() / 1000);
		for (const chart of this.charts)
			Object.assign(chart, { from: end - span, to: end }); // the next key goes on from here
		this.preview(end - span, end);
		this.onZoom(end - span, end);
	}

	_soon(wanted) {
		if (!this._pending)
			requestAnimationFrame(() => this._draw());
		this._pending = { ...this._pending, ...wanted };
	}

	_draw() {
		const { preview } = this._pending;
		this._pending = null;
		for (const chart of this.charts) {
			if (preview && chart.preview)
				chart.preview(...preview);
			chart.drawCursor();
		}
	}
}
