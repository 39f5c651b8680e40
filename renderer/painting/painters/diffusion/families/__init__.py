"""How each kind of pipeline is loaded and called: our own map, by the class that its folder names.

diffusers has no such map that covers all inpainting pipelines and no common signature for them.
``family`` says what a kind of pipeline is; each other module holds one house's kinds, with what is
peculiar about them; ``index`` is the map. None of them loads torch.
"""
