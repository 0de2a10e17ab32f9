"""Name the structures in FreeSurfer's label maps: value, name, and tissue.

Values and names are those of FreeSurfer's colour table,
https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/AnatomicalROI/FreeSurferColorLUT. The tissues
are FreeSurfer's own grouping (``tissue_type_recoder`` in its Python package `surfa`,
https://github.com/freesurfer/surfa): brain stem and ventral diencephalon are white matter,
cerebellar cortex and deep nuclei are grey, and vessels and choroid plexus lie in CSF. What lies
outside the brain is background.
"""

from __future__ import annotations

from collections.abc import Mapping

Structures = Mapping[str, tuple[int, str]]
"""Value and tissue of each structure, by its name."""

_SIDED = {
    # The first value is that of the left side, the second that of the right side.
    "Cerebral-White-Matter": (2, 41, "WM"),
    "Cerebral-Cortex": (3, 42, "GM"),
    "Lateral-Ventricle": (4, 43, "CSF"),
    "Inf-Lat-Vent": (5, 44, "CSF"),
    "Cerebellum-White-Matter": (7, 46, "WM"),
    "Cerebellum-Cortex": (8, 47, "GM"),
    "Thalamus": (10, 49, "GM"),
    "Caudate": (11, 50, "GM"),
    "Putamen": (12, 51, "GM"),
    "Pallidum": (13, 52, "GM"),
    "Hippocampus": (17, 53, "GM"),
    "Amygdala": (18, 54, "GM"),
    "Accumbens-area": (26, 58, "GM"),
    "VentralDC": (28, 60, "WM"),
    "vessel": (30, 62, "CSF"),
    "choroid-plexus": (31, 63, "CSF"),
    "WM-hypointensities": (78, 79, "WM"),
    "non-WM-hypointensities": (81, 82, "GM"),
}
_MIDLINE = {
    "3rd-Ventricle": (14, "CSF"),
    "4th-Ventricle": (15, "CSF"),
    "Brain-Stem": (16, "WM"),
    "CSF": (24, "CSF"),
    "5th-Ventricle": (72, "CSF"),
    "WM-hypointensities": (77, "WM"),
    "non-WM-hypointensities": (80, "GM"),
    "Optic-Chiasm": (85, "WM"),
    "CC_Posterior": (251, "WM"),
    "CC_Mid_Posterior": (252, "WM"),
    "CC_Central": (253, "WM"),
    "CC_Mid_Anterior": (254, "WM"),
    "CC_Anterior": (255, "WM"),
}


def _name_sides(sided: Mapping[str, tuple[int, int, str]]) -> tuple[Structures, Structures]:
    """Return the structures of the left side, and those of the right side."""
    left = {}
    right = {}
    for name, (left_value, right_value, tissue) in sided.items():
        left[f"Left-{name}"] = (left_value, tissue)
        right[f"Right-{name}"] = (right_value, tissue)
    return left, right


_LEFT, _RIGHT = _name_sides(_SIDED)
ASEG: Structures = {**_LEFT, **_MIDLINE, **_RIGHT}
"""The structures in ``aseg``."""

_RARE_SIDED = {
    "Cerebellum-Exterior": (6, 45, "background"),
    "Thalamus-unused": (9, 48, "GM"),
    "Insula": (19, 55, "GM"),
    "Operculum": (20, 56, "GM"),
    # A lesion may be any tissue.
    "Lesion": (25, 57, ""),
    "Substancia-Nigra": (27, 59, "GM"),
    "undetermined": (29, 61, ""),
    "WMCrowns": (34, 66, "WM"),
    "Amygdala-Anterior": (96, 97, "GM"),
    "Caudate-Putamen": (136, 137, "GM"),
    "Claustrum": (138, 139, "GM"),
    "IntCapsule-Ant": (155, 156, "WM"),
    "IntCapsule-Pos": (157, 158, "WM"),
    "Cerebral-WM-unmyelinated": (159, 160, "WM"),
    "Cerebral-WM-myelinated": (161, 162, "WM"),
    "Subcortical-Gray-Matter": (163, 164, "GM"),
    "Basal-Ganglia": (169, 176, "GM"),
    "Vermis-Area": (183, 184, "GM"),
}
_RARE_MIDLINE = {
    "CSF-SA": (122, "CSF"),
    "Spinal-Cord": (126, "WM"),
    "Vermis": (172, "GM"),
    "Midbrain": (173, "WM"),
    "Pons": (174, "WM"),
    "Medulla": (175, "WM"),
    "Vermis-White-Matter": (177, "WM"),
    "SCP": (178, "WM"),
    "Floculus": (179, "GM"),
    "Corpus_Callosum": (192, "WM"),
    "Fornix": (250, "WM"),
    "CSF-ExtraCerebral": (257, "CSF"),
    "Pons-Belly-Area": (267, "WM"),
    "Vein": (914, "CSF"),
}
_OUTSIDE = {
    98: "Dura",
    118: "Epidermis",
    119: "Conn-Tissue",
    120: "SC-Fat-Muscle",
    121: "Cranium",
    123: "Muscle",
    124: "Ear",
    125: "Adipose",
    127: "Soft-Tissue",
    128: "Nerve",
    129: "Bone",
    130: "Air",
    131: "Orbital-Fat",
    132: "Tongue",
    133: "Nasal-Structures",
    134: "Globe",
    135: "Teeth",
    140: "Cornea",
    142: "Diploe",
    143: "Vitreous-Humor",
    144: "Lens",
    145: "Aqueous-Humor",
    146: "Outer-Table",
    147: "Inner-Table",
    148: "Periosteum",
    149: "Endosteum",
    152: "SC-Adipose-Muscle",
    153: "SC-Tissue",
    154: "Orbital-Adipose",
    165: "Skull",
    167: "Scalp",
    258: "Head-ExtraCerebral",
    259: "SkullApprox",
    260: "BoneOrAir",
    262: "Sinus",
    902: "Artery",
    907: "Other-Tissues",
    908: "Rectus-Muscles",
    909: "Mucosa",
    911: "Skin",
    915: "Bone-Cortical",
    916: "Bone-Cancellous",
    930: "Optic-Nerve",
}
_RARE_LEFT, _RARE_RIGHT = _name_sides(_RARE_SIDED)
RARE: Structures = {
    **_RARE_LEFT,
    **_RARE_MIDLINE,
    **_RARE_RIGHT,
    **{name: (value, "background") for value, name in _OUTSIDE.items()},
}
"""Structures of the colour table that ``aseg`` lacks.

They occur in label maps that were edited, and in those of children or of whole heads.
"""

_PARCELS = """
    unknown bankssts caudalanteriorcingulate caudalmiddlefrontal corpuscallosum cuneus entorhinal
    fusiform inferiorparietal inferiortemporal isthmuscingulate lateraloccipital
    lateralorbitofrontal lingual medialorbitofrontal middletemporal parahippocampal paracentral
    parsopercularis parsorbitalis parstriangularis pericalcarine postcentral posteriorcingulate
    precentral precuneus rostralanteriorcingulate rostralmiddlefrontal superiorfrontal
    superiorparietal superiortemporal supramarginal frontalpole temporalpole transversetemporal
    insula
"""
_PARCELS_2009 = """
    Unknown G_and_S_frontomargin G_and_S_occipital_inf G_and_S_paracentral G_and_S_subcentral
    G_and_S_transv_frontopol G_and_S_cingul-Ant G_and_S_cingul-Mid-Ant G_and_S_cingul-Mid-Post
    G_cingul-Post-dorsal G_cingul-Post-ventral G_cuneus G_front_inf-Opercular G_front_inf-Orbital
    G_front_inf-Triangul G_front_middle G_front_sup G_Ins_lg_and_S_cent_ins G_insular_short
    G_occipital_middle G_occipital_sup G_oc-temp_lat-fusifor G_oc-temp_med-Lingual
    G_oc-temp_med-Parahip G_orbital G_pariet_inf-Angular G_pariet_inf-Supramar G_parietal_sup
    G_postcentral G_precentral G_precuneus G_rectus G_subcallosal G_temp_sup-G_T_transv
    G_temp_sup-Lateral G_temp_sup-Plan_polar G_temp_sup-Plan_tempo G_temporal_inf G_temporal_middle
    Lat_Fis-ant-Horizont Lat_Fis-ant-Vertical Lat_Fis-post Medial_wall Pole_occipital Pole_temporal
    S_calcarine S_central S_cingul-Marginalis S_circular_insula_ant S_circular_insula_inf
    S_circular_insula_sup S_collat_transv_ant S_collat_transv_post S_front_inf S_front_middle
    S_front_sup S_interm_prim-Jensen S_intrapariet_and_P_trans S_oc_middle_and_Lunatus
    S_oc_sup_and_transversal S_occipital_ant S_oc-temp_lat S_oc-temp_med_and_Lingual
    S_orbital_lateral S_orbital_med-olfact S_orbital-H_Shaped S_parieto_occipital S_pericallosal
    S_postcentral S_precentral-inf-part S_precentral-sup-part S_suborbital S_subparietal
    S_temporal_inf S_temporal_sup S_temporal_transverse
"""


def _number_parcels(names: str, prefixes: Structures) -> dict[str, tuple[int, str]]:
    """Return the parcels of each prefix, numbered from the value of the prefix on."""
    structures = {}
    for prefix, (first, tissue) in prefixes.items():
        for value, name in enumerate(names.split(), start=first):
            structures[f"{prefix}{name}"] = (value, tissue)
    return structures


_UNSEGMENTED = {
    "Left-UnsegmentedWhiteMatter": (5001, "WM"),
    "Right-UnsegmentedWhiteMatter": (5002, "WM"),
}
APARC: Structures = {
    **_number_parcels(
        _PARCELS,
        {
            "ctx-lh-": (1000, "GM"),
            "ctx-rh-": (2000, "GM"),
            "wm-lh-": (3000, "WM"),
            "wm-rh-": (4000, "WM"),
        },
    ),
    **_UNSEGMENTED,
}
"""Desikan and Killiany's parcels of the cortex and of the white matter below it.

Those of the DKT atlas are among them.
"""

A2009S: Structures = {
    **_number_parcels(
        _PARCELS_2009,
        {
            "ctx_lh_": (11100, "GM"),
            "ctx_rh_": (12100, "GM"),
            "wm_lh_": (13100, "WM"),
            "wm_rh_": (14100, "WM"),
        },
    ),
    **_UNSEGMENTED,
}
"""Destrieux's parcels of the cortex and of the white matter below it."""
