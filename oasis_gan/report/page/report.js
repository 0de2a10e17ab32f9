"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const viewer = document.getElementById("viewer");
  const state = document.getElementById("state");

  function bytesOf(id) {
    const text = atob(document.getElementById(id).textContent.trim());
    // A loop, because Uint8Array.from calls a function for each of millions of characters.
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  }

  async function unzip(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  async function loadViewer() {
    const code = document.createElement("script");
    code.textContent = new TextDecoder().decode(await unzip(bytesOf("niivue")));
    document.head.append(code);
    return window.niivue;
  }

  // Opacity by layer; the first layer lies below the others.
  const shown = { output: 1, real: 0, difference: 0, uncertainty: 0, labels: 0 };

  function show(nv, key) {
    for (const name of ["real", "difference"]) setOpacity(nv, name, name === key ? 1 : 0);
    // A difference is clear where there is none, and nothing is to be seen through it.
    setOpacity(nv, "output", key === "difference" ? 0 : 1);
    for (const button of document.querySelectorAll("[data-show]"))
      button.setAttribute("aria-pressed", String(button.dataset.show === key));
  }

  function setOpacity(nv, key, opacity) {
    const index = facts.layers.findIndex((layer) => layer.key === key);
    if (index < 0) return;
    shown[key] = opacity;
    nv.setOpacity(index, opacity);
    const slider = document.querySelector(`[data-opacity="${key}"]`);
    if (slider) slider.value = String(opacity * 100);
  }

  function setContrast(nv) {
    const low = Number(document.getElementById("low").value) / 100;
    const high = Math.max(Number(document.getElementById("high").value) / 100, low + 0.01);
    facts.layers.forEach((layer, index) => {
      if (layer.key !== "output" && layer.key !== "real") return;
      nv.volumes[index].cal_min = layer.low + low * (layer.high - layer.low);
      nv.volumes[index].cal_max = layer.low + high * (layer.high - layer.low);
    });
    nv.updateGLVolume();
  }

  const COLOURS = { output: "gray", real: "gray", difference: "difference", uncertainty: "viridis", labels: "gray" };

  async function loadLayer(niivue, layer) {
    const raw = bytesOf(`layer-${layer.key}`);
    const options = [await unzip(raw), `${layer.key}.nii`, COLOURS[layer.key], layer.key === "output" ? 1 : 0];
    const volume = await niivue.NVImage.new(...options);
    volume.cal_min = layer.low;
    volume.cal_max = layer.high;
    if (layer.key === "labels") volume.setColormapLabel(facts.tissues);
    return volume;
  }

  async function start() {
    const niivue = await loadViewer();
    const nv = new niivue.Niivue({
      backColor: [0, 0, 0, 1], crosshairColor: [0.9, 0.6, 0.2, 0.7], crosshairWidth: 0.6, dragAndDropEnabled: false,
      logLevel: "error", isOrientationTextVisible: true, show3Dcrosshair: true, multiplanarForceRender: true,
    });
    window.viewer = nv;
    nv.addColormap("difference", facts.difference);
    await nv.attachToCanvas(viewer.querySelector("canvas"));
    nv.setMultiplanarLayout(2); // two by two
    nv.setSliceType(nv.sliceTypeMultiplanar);
    for (const layer of facts.layers) nv.addVolume(await loadLayer(niivue, layer));
    nv.setInterpolation(true);
    nv.onLocationChange = (place) => { document.getElementById("place").textContent = place.string; };
    connect(nv);
    state.textContent = "";
    document.documentElement.dataset.ready = "true";
    performance.mark("viewer");
  }

  function connect(nv) {
    const shows = [...document.querySelectorAll("[data-show]")];
    for (const button of shows) button.addEventListener("click", () => show(nv, button.dataset.show));
    for (const slider of document.querySelectorAll("[data-opacity]"))
      slider.addEventListener("input", () => setOpacity(nv, slider.dataset.opacity, slider.value / 100));
    for (const id of ["low", "high"]) document.getElementById(id).addEventListener("input", () => setContrast(nv));
    document.getElementById("layout").addEventListener("change", (event) => nv.setSliceType(Number(event.target.value)));
    document.getElementById("sides").addEventListener("change", (event) => nv.setRadiologicalConvention(event.target.checked));
    const moves = { ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowDown: [0, -1, 0], ArrowUp: [0, 1, 0], PageDown: [0, 0, -1], PageUp: [0, 0, 1] };
    viewer.querySelector("canvas").addEventListener("keydown", (event) => {
      if (moves[event.key]) {
        event.preventDefault();
        event.stopImmediatePropagation();
        nv.moveCrosshairInVox(...moves[event.key]);
      } else if (/^[1-9]$/.test(event.key) && shows[event.key - 1]) {
        event.stopImmediatePropagation();
        show(nv, shows[event.key - 1].dataset.show);
      }
    }, true);
  }

  const opened = Date.now();
  document.getElementById("rating").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const rating = {
      dataset: "oasis-gan", subject: facts.subject, sha256: facts.sha256, rating: form.get("rating"),
      artifacts: form.getAll("artifacts"), comments: form.get("comments"),
      time_sec: Math.round((Date.now() - opened) / 1000), tool: facts.tool,
    };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(rating, null, 2) + "\n"], { type: "application/json" }));
    link.download = `${facts.file}_rating.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  // The viewer keeps a slow graphics processor busy: the slices above it are on the screen before it is unpacked.
  function afterFirstPaint(action) {
    let waiting = true;
    const once = () => {
      if (waiting) action();
      waiting = false;
    };
    new PerformanceObserver((list) => {
      if (list.getEntriesByName("first-contentful-paint").length) once();
    }).observe({ type: "paint", buffered: true });
    // A page that is not in view is not painted.
    if (document.hidden) once();
    setTimeout(once, 5000);
  }

  afterFirstPaint(() => start().catch((error) => { state.textContent = `The viewer needs WebGL 2: ${error.message}`; }));
})();
