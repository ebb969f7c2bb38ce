// What the report's test asks of its page. Runs in the browser; every function gives a list of what is wrong.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ contentVisibilityAuto: true });

  /** Texts of one drawing that lie on each other, or reach out of it. */
  const overlaps = () =>
    all("svg")
      .filter(shown)
      .flatMap((svg) => {
        const { width, height } = svg.viewBox.baseVal;
        const boxes = [...svg.querySelectorAll("text")].map((text) => ({ text, box: text.getBBox() }));
        const outside = boxes.filter(
          ({ box }) => box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height,
        );
        const pairs = boxes.flatMap(({ text, box }, index) =>
          boxes
            .slice(index + 1)
            .filter(({ box: other }) => intersect(box, other))
            .map((other) => `"${text.textContent}" lies on "${other.text.textContent}"`),
        );
        return [...outside.map(({ text }) => `"${text.textContent}" is cut off`), ...pairs];
      });

  const intersect = (a, b) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

  /** Texts that do not stand out from what is behind them: WCAG 2.2, 1.4.3. */
  const faint = () => {
    const texts = all("body *").filter(
      (element) =>
        shown(element) &&
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""),
    );
    return texts.flatMap((element) => {
      if (element.closest("title, desc") !== null) return [];
      const style = getComputedStyle(element);
      const inDrawing = element.tagName === "text";
      const ratio = contrast(rgb(inDrawing ? style.fill : style.color), behind(element));
      const size = Number.parseFloat(style.fontSize);
      const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      return ratio >= least
        ? []
        : [
            `${ratio.toFixed(2)}: ${element.textContent.slice(0, 40)} (${element.className.baseVal ?? element.className})`,
          ];
    });
  };

  /** In a drawing a text's ground is the shape before it, where that has the same name. */
  const behind = (element) => {
    if (element.tagName === "text") {
      const before = element.previousElementSibling;
      const name = element.classList[0];
      if (before !== null && before.tagName !== "text" && before.classList[0] === name) {
        return rgb(getComputedStyle(before).fill);
      }
    }
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return rgb(color);
    }
    return [255, 255, 255];
  };

  const rgb = (color) =>
    color
      .match(/[\d.]+/g)
      .slice(0, 3)
      .map(Number);
  const luminance = (channels) => {
    const [r, g, b] = channels.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };

  /** What makes the page wider than its window. */
  const wide = () => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide, its window ${clientWidth}`] : [];
  };

  /** Structure that who cannot see the page depends on. */
  const unnamed = () => [
    ...(document.documentElement.lang === "en" ? [] : ["the page has no language"]),
    ...(all("h1").length === 1 && all("main").length === 1 ? [] : ["not one h1 and one main"]),
    ...all("th:not([scope])").map((cell) => `a header without scope: ${cell.textContent}`),
    ...all("svg:not([aria-hidden])")
      .filter(
        (svg) =>
          !svg.querySelector(":scope > title")?.textContent ||
          !svg.querySelector(":scope > desc")?.textContent,
      )
      .map(() => "a drawing without title or description"),
    ...all("[tabindex]:not([aria-label], [aria-labelledby])").map((part) => `no name: ${part.className}`),
    ...skippedLevels(),
  ];

  const skippedLevels = () => {
    const levels = all("h1, h2, h3, h4").map((heading) => ({ heading, level: Number(heading.tagName[1]) }));
    return levels
      .filter(({ level }, index) => level > (levels[index - 1]?.level ?? 0) + 1)
      .map(({ heading }) => `a heading that skips a level: ${heading.textContent}`);
  };

  const unfold = () => {
    for (const details of all("details")) details.open = true;
  };

  globalThis.inPage = { overlaps, faint, wide, unnamed, unfold };
})();
